//! Both sides over real sockets, the host on a thread of its own.

use std::{
    os::{fd::AsFd as _, unix::net::UnixStream},
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::{ClientId, Host, Remote};
use crate::stash::{Holder, Key, Refusal, Stash, Tenure, Value};

enum Order {
    Adopt(ClientId, UnixStream),
    End(ClientId, Sender<()>),
}

/// A host that runs until its orders end.
struct Running {
    orders: Sender<Order>,
    bell: UnixStream,
}

fn host() -> Arc<Running> {
    let (orders, ordered) = channel();
    let (bell, rung) = UnixStream::pair().unwrap();
    thread::spawn(move || run(&ordered, &rung));
    Arc::new(Running { orders, bell })
}

fn run(orders: &Receiver<Order>, bell: &UnixStream) {
    let mut host = Host::default();
    loop {
        let ready = {
            let sockets: Vec<_> = host.sockets().collect();
            let mut fds = vec![PollFd::new(bell.as_fd(), PollFlags::POLLIN)];
            fds.extend(sockets.iter().map(|(_, fd, writes)| {
                PollFd::new(*fd, if *writes { PollFlags::POLLIN | PollFlags::POLLOUT } else { PollFlags::POLLIN })
            }));
            let wait = host.deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let wait = wait.map(|wait| PollTimeout::try_from(wait + Duration::from_millis(1)).unwrap());
            poll(&mut fds, wait).unwrap();
            let is_ready = |fd: &PollFd<'_>| fd.revents().is_some_and(|events| !events.is_empty());
            if is_ready(&fds[0]) {
                std::io::Read::read(&mut &*bell, &mut [0]).unwrap();
                match orders.recv() {
                    Ok(Order::Adopt(client, stream)) => {
                        drop(fds);
                        host.adopt(client, stream).unwrap();
                    }
                    Ok(Order::End(client, done)) => {
                        drop(fds);
                        host.end(client);
                        done.send(()).unwrap();
                    }
                    Err(_) => return,
                }
                continue;
            }
            sockets.iter().zip(&fds[1..]).filter(|(_, fd)| is_ready(fd)).map(|((id, ..), _)| *id).collect::<Vec<_>>()
        };
        host.serve(&ready, Instant::now());
    }
}

impl Running {
    fn order(&self, order: Order) {
        self.orders.send(order).unwrap();
        std::io::Write::write_all(&mut &self.bell, b"!").unwrap();
    }

    fn client(self: &Arc<Self>, number: u32) -> Remote {
        let host = Arc::clone(self);
        Remote::new(move || {
            let (own, other) = UnixStream::pair()?;
            host.order(Order::Adopt(ClientId(number), other));
            Ok(own)
        })
    }

    fn end(&self, number: u32) {
        let (done, is_done) = channel();
        self.order(Order::End(ClientId(number), done));
        is_done.recv().unwrap();
    }
}

fn key(path: &str) -> Key {
    Key { path: path.into(), uuid: [1; 16] }
}

#[test]
fn a_value_is_written_once_and_taken_once_by_any_process() {
    let host = host();
    let (one, other) = (host.client(1), host.client(2));
    let value = Value::Dict(vec![(Value::Str(b"a".to_vec()), Value::List(vec![Value::Int(-7), Value::None]))]);
    one.put(key("/a"), value.clone()).unwrap();
    assert!(matches!(other.put(key("/a"), Value::Bool(true)), Err(Refusal::Occupied(Value::Dict(_)))));
    assert_eq!(format!("{:?}", other.take(&key("/a")).unwrap().unwrap()), format!("{value:?}"));
    assert!(one.take(&key("/a")).unwrap().is_none());
    let large = vec![b'x'; 5 << 20];
    one.put(key("/large"), Value::Bytes(large.clone())).unwrap();
    host.end(1);
    assert!(matches!(other.take(&key("/large")), Ok(Some(Value::Bytes(bytes))) if bytes == large));
}

#[test]
fn there_is_room_again_when_a_value_is_taken() {
    let client = host().client(1);
    assert!(matches!(client.put(key("/"), Value::Bytes(vec![0; 65 << 20])), Err(Refusal::Full)));
    let value = || Value::Bytes(vec![0; 60 << 20]);
    let taken = (0..).take_while(|n| client.put(key(&n.to_string()), value()).is_ok()).count();
    assert_eq!(taken, 8);
    assert!(matches!(client.put(key("9"), value()), Err(Refusal::Full)));
    client.take(&key("0")).unwrap().unwrap();
    client.put(key("9"), value()).unwrap();
}

#[test]
fn the_lock_goes_from_one_to_the_next_and_is_released_with_its_request_or_process() {
    let host = host();
    let (one, other) = (host.client(1), host.client(2));
    one.acquire(Holder::next(), None).unwrap();
    one.release().unwrap();
    assert!(matches!(other.release(), Err(Refusal::NotLocked)));
    // A request ends with it.
    let request = Tenure::begin(Arc::new(one.clone()));
    {
        let _entered = request.enter();
        one.acquire(Holder::current(), None).unwrap();
    }
    let (waiting, came) = (other.clone(), channel());
    let waits = thread::spawn(move || {
        waiting.acquire(Holder::next(), None).unwrap();
        came.0.send(()).unwrap();
    });
    assert!(came.1.recv_timeout(Duration::from_millis(50)).is_err());
    drop(request);
    came.1.recv().unwrap();
    waits.join().unwrap();
    // A process ends with it.
    let waiting = one.clone();
    let waits = thread::spawn(move || waiting.acquire(Holder::next(), None).unwrap());
    host.end(2);
    waits.join().unwrap();
}

#[test]
fn a_wait_that_is_given_up_keeps_no_other_waiting() {
    let host = host();
    let (one, other) = (host.client(1), host.client(2));
    one.acquire(Holder::next(), None).unwrap();
    let request = Tenure::begin(Arc::new(other.clone()));
    {
        let _entered = request.enter();
        assert!(matches!(other.acquire(Holder::current(), Some(&|| true)), Err(Refusal::GivenUp)));
    }
    one.release().unwrap();
    // Even if the lock came at the last moment.
    drop(request);
    one.acquire(Holder::next(), Some(&|| false)).unwrap();
    one.release().unwrap();
    let queue = one.new_queue().unwrap();
    queue.put(Value::Int(1)).unwrap();
    assert!(matches!(queue.join(Some(&|| true)), Err(Refusal::GivenUp)));
    queue.task_done().unwrap();
    queue.join(Some(&|| false)).unwrap();
}

#[test]
fn queues_are_shared_and_wait() {
    let host = host();
    let (one, other) = (host.client(1), host.client(2));
    let queue = one.new_queue().unwrap();
    one.put(key("/q"), Value::Queue(Arc::clone(&queue))).unwrap();
    let Some(Value::Queue(shared)) = other.take(&key("/q")).unwrap() else { panic!("no queue") };
    assert!(shared.get(Some(Duration::ZERO)).unwrap().is_none());
    assert!(shared.get(Some(Duration::from_millis(20))).unwrap().is_none());
    let waiting = Arc::clone(&shared);
    let getter = thread::spawn(move || waiting.get(None).unwrap());
    queue.put(Value::Int(1)).unwrap();
    assert!(matches!(getter.join().unwrap(), Some(Value::Int(1))));
    queue.put(Value::Int(2)).unwrap();
    assert_eq!(shared.count().unwrap(), 1);
    shared.task_done().unwrap();
    let waiting = Arc::clone(&queue);
    let joiner = thread::spawn(move || waiting.join(None).unwrap());
    shared.task_done().unwrap();
    joiner.join().unwrap();
    assert!(matches!(queue.task_done(), Err(Refusal::TooOften)));
    // It lives as long as somebody refers to it.
    drop(queue);
    host.end(1);
    assert!(matches!(shared.get(None), Ok(Some(Value::Int(2)))));
    // An item that nobody waits for any more stays for the next.
    let lost = Arc::clone(&shared);
    let third = host.client(3);
    third.put(key("/q"), Value::Queue(shared)).unwrap();
    let Some(Value::Queue(of_third)) = third.take(&key("/q")).unwrap() else { panic!("no queue") };
    let gives_up = thread::spawn(move || of_third.get(None).is_err());
    thread::sleep(Duration::from_millis(20));
    host.end(3);
    assert!(gives_up.join().unwrap());
    lost.put(Value::Int(3)).unwrap();
    assert!(matches!(lost.get(None), Ok(Some(Value::Int(3)))));
}
