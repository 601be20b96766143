//! The arguments and the text of `response.set_cookie`, apart from the class because the rules are long.

use rustpython_vm::{
    AsObject as _, FromArgs, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyInt, PyStrRef},
    function::OptionalArg,
};

use super::cookies::cookie_error;
use crate::{
    http::{
        cookies::{self, Attribute},
        text::latin1,
    },
    python::native::text,
};

/// The arguments of wptserve 4.0.3, response.py, `Response.set_cookie`, in its order.
#[derive(FromArgs)]
pub(crate) struct CookieArgs {
    #[pyarg(any)]
    name: PyObjectRef,
    #[pyarg(any)]
    value: PyObjectRef,
    #[pyarg(any, optional)]
    path: OptionalArg<PyObjectRef>,
    #[pyarg(any, optional)]
    domain: OptionalArg<PyObjectRef>,
    #[pyarg(any, optional)]
    max_age: OptionalArg<PyObjectRef>,
    #[pyarg(any, optional)]
    expires: OptionalArg<PyObjectRef>,
    #[pyarg(any, optional)]
    samesite: OptionalArg<PyObjectRef>,
    #[pyarg(any, optional)]
    secure: OptionalArg<PyObjectRef>,
    #[pyarg(any, optional)]
    httponly: OptionalArg<PyObjectRef>,
    #[pyarg(any, optional)]
    comment: OptionalArg<PyObjectRef>,
}

impl CookieArgs {
    /// The arguments of `Response.delete_cookie` (wptserve 4.0.3, response.py).
    pub(crate) fn deletion(
        name: PyObjectRef,
        path: Option<PyObjectRef>,
        domain: Option<PyObjectRef>,
        vm: &VirtualMachine,
    ) -> Self {
        Self {
            name,
            value: vm.ctx.none(),
            path: OptionalArg::from_option(path),
            domain: OptionalArg::from_option(domain),
            max_age: OptionalArg::Missing,
            expires: OptionalArg::Missing,
            samesite: OptionalArg::Missing,
            secure: OptionalArg::Missing,
            httponly: OptionalArg::Missing,
            comment: OptionalArg::Missing,
        }
    }
}

/// The text of the Set-Cookie header.
///
/// # Errors
/// The name is not a cookie name, the value is neither text nor bytes, or a time is not a time.
pub(crate) fn cookie_text(args: CookieArgs, vm: &VirtualMachine) -> PyResult<PyStrRef> {
    let given = |argument: OptionalArg<PyObjectRef>| argument.into_option().filter(|value| !vm.is_none(value));
    let datetime = vm.import("datetime", 0)?;
    let timedelta = datetime.get_attr("timedelta", vm)?;

    let (value, max_age, expires) = if vm.is_none(&args.value) {
        let past = timedelta.call((-1,), vm)?;
        (String::new(), Some(vm.ctx.new_int(0).into()), Some(past))
    } else {
        (text::decoded(&args.value, vm)?, given(args.max_age), given(args.expires))
    };
    let name = latin1(&text::encoded(&args.name, vm)?);

    let expires = match expires {
        Some(interval) if interval.is_instance(&timedelta, vm)? => {
            let utc = datetime.get_attr("timezone", vm)?.get_attr("utc", vm)?;
            let now = vm.call_method(&*datetime.get_attr("datetime", vm)?, "now", (utc,))?;
            Some(vm._add(&now, &interval)?)
        }
        other => other,
    };
    let expires = expires.map(|time| expires_text(&time, vm)).transpose()?;
    let max_age = max_age.map(|age| max_age_text(age, vm)).transpose()?;

    let mut morsel = cookies::Morsel::new(&name, value.as_bytes(), &value).map_err(|error| cookie_error(&error, vm))?;
    let path = match args.path {
        OptionalArg::Missing => Some(vm.ctx.new_str("/").into()),
        OptionalArg::Present(path) => Some(path).filter(|path| !vm.is_none(path)),
    };
    let attributes = [
        ("path", path),
        ("domain", given(args.domain)),
        ("comment", given(args.comment)),
        ("expires", expires.map(|text| vm.ctx.new_str(text).into())),
        ("max-age", max_age.map(|text| vm.ctx.new_str(text).into())),
        ("secure", given(args.secure)),
        ("httponly", given(args.httponly)),
        ("samesite", given(args.samesite)),
    ];
    for (key, value) in attributes {
        let Some(value) = value.filter(|value| !value.is(&vm.ctx.false_value)) else { continue };
        if matches!(key, "secure" | "httponly") {
            if value.try_to_bool(vm)? {
                morsel.set(key, Attribute::Flag(true)).map_err(|error| cookie_error(&error, vm))?;
            }
        } else {
            let text = value.str(vm)?;
            morsel
                .set(key, Attribute::Text(text.to_string_lossy().into_owned()))
                .map_err(|error| cookie_error(&error, vm))?;
        }
    }
    Ok(vm.ctx.new_str(morsel.output_string()))
}

/// The Set-Cookie texts that remain without the cookie `name`; `None` when it is not among them.
pub(crate) fn without_cookie(name: &[u8], texts: &[Vec<u8>], vm: &VirtualMachine) -> PyResult<Option<Vec<String>>> {
    let mut morsels: Vec<cookies::Morsel> = Vec::new();
    for text in texts {
        for morsel in cookies::load(&latin1(text)).map_err(|error| cookie_error(&error, vm))? {
            morsels.retain(|known| known.key != morsel.key);
            morsels.push(morsel);
        }
    }
    let name = latin1(name);
    if !morsels.iter().any(|morsel| morsel.key == name) {
        return Ok(None);
    }
    Ok(Some(morsels.iter().filter(|morsel| morsel.key != name).map(cookies::Morsel::output_string).collect()))
}

/// `"%d %b %Y %H:%M:%S GMT"` with the month's English name in lower case, in every locale.
fn expires_text(time: &PyObjectRef, vm: &VirtualMachine) -> PyResult<String> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let text = vm.call_method(time, "strftime", ("%d %%s %Y %H:%M:%S GMT",))?.str(vm)?.to_string_lossy().into_owned();
    let month: usize = time.get_attr("month", vm)?.try_into_value(vm)?;
    let name = month.checked_sub(1).and_then(|index| MONTHS.get(index)).copied().unwrap_or_default();
    Ok(text.replacen("%s", name, 1))
}

/// Whole seconds, as `"%.0d"` prints them: nothing is printed differently but zero, which stays "0".
fn max_age_text(age: PyObjectRef, vm: &VirtualMachine) -> PyResult<String> {
    let seconds = if age.has_attr("total_seconds", vm)? { vm.call_method(&age, "total_seconds", ())? } else { age };
    let whole = vm.ctx.types.int_type.as_object().call((seconds,), vm)?;
    match whole.downcast_ref::<PyInt>() {
        Some(int) => Ok(int.as_bigint().to_string()),
        None => Ok(whole.str(vm)?.to_string_lossy().into_owned()),
    }
}
