//! For the tests of this room: one interpreter for the whole test binary, a VM of its own for every test, and tables of
//! Python expressions with the `repr` that they must give. This code is not in the binary.

use std::sync::{
    LazyLock, Mutex,
    mpsc::{Sender, channel},
};

use rustpython_vm::{AsObject, PyResult, VirtualMachine, scope::Scope, vm::thread::ThreadedVirtualMachine};

type Ask = Sender<ThreadedVirtualMachine>;

/// The thread that owns the interpreter. A test gets a VM by sending the thread a channel for the answer.
static KEEPER: LazyLock<Mutex<Sender<Ask>>> = LazyLock::new(|| {
    let (ask, asked) = channel::<Ask>();
    std::thread::spawn(move || {
        let interpreter = crate::python::vm::build();
        interpreter.enter(|vm| crate::python::vm::warm_up(vm).map_err(|error| vm.print_exception(&error)).unwrap());
        while let Ok(answer) = asked.recv() {
            let _ = answer.send(interpreter.enter(VirtualMachine::new_thread));
        }
    });
    Mutex::new(ask)
});

/// Runs `work` with a VM of the shared interpreter.
pub(in crate::python) fn with_vm<R>(work: impl FnOnce(&VirtualMachine) -> R) -> R {
    let (answer, answered) = channel();
    KEEPER.lock().unwrap().send(answer).unwrap();
    answered.recv().unwrap().run(work)
}

/// Runs a table: set-up, a line `---`, then for every `>>> expression` the `repr` it gives, or `Type: message` of what it raises.
///
/// The expected lines of `>>>` come from wptserve 4.0.3 under CPython 3.11; those of `>>>!` are known differences from it.
/// A line `<<<` is for [`mended_upstream`].
pub(in crate::python) fn check_table(table: &str) {
    let (setup, rows) = table.split_once("\n---\n").unwrap();
    let mut lines = rows.lines();
    let mut checks = Vec::new();
    while let Some(line) = lines.next() {
        if let Some(code) = line.strip_prefix(">>> ").or_else(|| line.strip_prefix(">>>! ")) {
            checks.push((code, lines.next().unwrap()));
        }
    }
    check(setup, &checks);
}

/// Runs the rows of a table that have a line `<<<` in an interpreter without mends, and returns those whose value is another
/// than the one in that line.
pub(in crate::python) fn mended_upstream(name: &str, table: &str, vm: &VirtualMachine) -> Vec<String> {
    let (setup, rows) = table.split_once("\n---\n").unwrap();
    let scope = vm.new_scope_with_builtins();
    if let Err(error) = run(setup, "exec", &scope, vm) {
        vm.print_exception(&error);
        return vec![format!("{name}: the set-up failed")];
    }
    let lines: Vec<&str> = rows.lines().collect();
    // A row whose value is right without mends would keep a mend that is not needed.
    let mistakes: Vec<(&str, &str)> = lines
        .windows(3)
        .filter_map(|row| Some((row[0].strip_prefix(">>> ")?, row[2].strip_prefix("<<< ").filter(|it| *it != row[1])?)))
        .collect();
    if mistakes.is_empty() {
        return vec![format!("{name}: no row says what RustPython gives by itself")];
    }
    let differing = mistakes.iter().filter_map(|(code, wrong)| differs(code, wrong, &scope, vm));
    differing.map(|difference| format!("{name}: {difference}")).collect()
}

/// Runs `setup`, in which [`helpers::install`] has put its names, and compares each expression with what it must give.
pub(in crate::python) fn check(setup: &str, checks: &[(&str, &str)]) {
    let wrong: Vec<String> = with_vm(|vm| {
        let scope = vm.new_scope_with_builtins();
        helpers::install(&scope.globals, vm);
        if let Err(error) = run(setup, "exec", &scope, vm) {
            vm.print_exception(&error);
            panic!("the set-up of the test failed");
        }
        checks.iter().filter_map(|(code, expected)| differs(code, expected, &scope, vm)).collect()
    });
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Compiles with Python's own function, as the files of handlers are.
fn run(code: &str, mode: &str, scope: &Scope, vm: &VirtualMachine) -> PyResult {
    let compile = vm.builtins.get_attr("compile", vm)?;
    let code = compile.call((code.to_owned(), "<test>".to_owned(), mode.to_owned(), 0, 1), vm)?;
    vm.run_code_obj(code.downcast().unwrap(), scope.clone())
}

fn differs(code: &str, expected: &str, scope: &Scope, vm: &VirtualMachine) -> Option<String> {
    let got = match run(code, "eval", scope, vm).and_then(|value| value.repr(vm)) {
        Ok(repr) => repr.to_string_lossy().replace('\n', "\\n"),
        Err(error) => {
            let text = error.as_object().str(vm).map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
            format!("{}: {text}", error.class().name()).replace('\n', "\\n")
        }
    };
    (got != *expected).then(|| format!("{code}\n     got {got}\nexpected {expected}"))
}

/// Python functions that make the native objects from bytes, so that a table reads the same for wptserve and for us.
mod helpers {
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use rustpython_vm::{
        Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine,
        builtins::{PyBytes, PyBytesRef, PyDict, PyTupleRef, PyUtf8StrRef},
        function::{OptionalOption, PosArgs},
    };

    use crate::{
        http::{Headers, body::BodySource},
        python::native::{
            Authentication, Cookies, InputFile, MultiDict, RawHeaders, RequestHeaders, ServerInfo,
            request::form,
            server::{self, Stash},
        },
    };

    pub(super) fn install(globals: &Py<PyDict>, vm: &VirtualMachine) {
        let functions = [
            ("multidict", vm.new_function("multidict", multidict)),
            ("raw", vm.new_function("raw", raw)),
            ("headers", vm.new_function("headers", headers)),
            ("config", vm.new_function("config", config)),
            ("server", vm.new_function("server", server_info)),
            ("post", vm.new_function("post", post)),
            ("stash", vm.new_function("stash", stash)),
            ("cookies", vm.new_function("cookies", cookies)),
            ("auth", vm.new_function("auth", auth)),
            ("body", vm.new_function("body", body)),
            ("chunked", vm.new_function("chunked", chunked)),
        ];
        for (name, function) in functions {
            globals.set_item(name, function.into(), vm).unwrap();
        }
    }

    fn multidict(pairs: PosArgs<PyTupleRef>, vm: &VirtualMachine) -> PyResult<PyRef<MultiDict>> {
        let bytes = |value: &PyObjectRef| value.downcast_ref::<PyBytes>().unwrap().as_bytes().to_vec();
        MultiDict::from_pairs(pairs.into_iter().map(|pair| (bytes(&pair[0]), bytes(&pair[1]))), vm)
    }

    /// A request body that comes in small pieces.
    #[derive(Debug)]
    struct Pieces(Mutex<Bytes>);

    impl BodySource for Pieces {
        fn read(&self, max: usize) -> std::io::Result<Bytes> {
            let mut left = self.0.lock().unwrap();
            let size = max.min(if left.len() > 1000 { 999 } else { 5 }).min(left.len());
            Ok(left.split_to(size))
        }
    }

    fn pieces(data: &PyBytesRef) -> Arc<Pieces> {
        Arc::new(Pieces(Mutex::new(Bytes::copy_from_slice(data.as_bytes()))))
    }

    fn body(data: PyBytesRef, length: OptionalOption<u64>) -> InputFile {
        let length = length.flatten().unwrap_or(data.as_bytes().len() as u64);
        InputFile::new(pieces(&data), Some(length))
    }

    fn chunked(data: PyBytesRef) -> InputFile {
        InputFile::new(pieces(&data), None)
    }

    fn parse(block: &[u8]) -> Headers {
        let end: &[u8] = if block.is_empty() { b"\r\n" } else { b"\r\n\r\n" };
        Headers::parse(&Bytes::from([block, end].concat()))
    }

    fn raw(block: PyBytesRef, vm: &VirtualMachine) -> PyObjectRef {
        RawHeaders::new(parse(block.as_bytes())).into_ref(&vm.ctx).into()
    }

    fn headers(block: PyBytesRef, vm: &VirtualMachine) -> PyResult<PyRef<RequestHeaders>> {
        RequestHeaders::new(&parse(block.as_bytes()), vm)
    }

    fn cookies(header: PyBytesRef, vm: &VirtualMachine) -> PyResult<PyRef<Cookies>> {
        Cookies::from_header(header.as_bytes(), vm)
    }

    fn auth(header: Option<PyBytesRef>, vm: &VirtualMachine) -> PyResult<PyRef<Authentication>> {
        let block = header.map_or(Vec::new(), |header| [b"Authorization: ", header.as_bytes()].concat());
        Authentication::from_headers(&*RequestHeaders::new(&parse(&block), vm)?, vm)
    }

    /// Every test has a stash of its own. A stash that Python opens by itself is that of the latest test.
    fn stash(path: PyUtf8StrRef, vm: &VirtualMachine) -> PyResult<PyRef<Stash>> {
        let store: Arc<dyn crate::stash::Stash> = Arc::new(crate::stash::Local::default());
        Stash::share(Arc::clone(&store), vm)?;
        Stash::new(store, path.as_str(), vm)
    }

    fn post(
        method: PyUtf8StrRef,
        head: PyBytesRef,
        data: PyBytesRef,
        vm: &VirtualMachine,
    ) -> PyResult<PyRef<MultiDict>> {
        let length = format!("\r\nContent-Length: {}", data.as_bytes().len());
        let headers = parse(&[head.as_bytes(), length.as_bytes()].concat());
        form::parse(&body(data, OptionalOption::Missing), &headers, method.as_str(), vm)
    }

    fn config(text: PyUtf8StrRef, vm: &VirtualMachine) -> PyResult {
        server::config(&serde_json::from_str(text.as_str()).unwrap(), vm)
    }

    fn server_info(path: PyUtf8StrRef, vm: &VirtualMachine) -> PyResult<PyRef<ServerInfo>> {
        let config = server::config(&serde_json::Value::Null, vm)?;
        ServerInfo::new(config, Arc::new(crate::stash::Local::default()), path.as_str(), vm)
    }
}
