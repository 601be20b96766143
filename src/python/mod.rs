//! x
mod native;
mod vm;
#[cfg(test)]
mod tests {
    #[test]
    fn it_builds() {
        let t = std::time::Instant::now();
        let interp = super::vm::build();
        eprintln!("build {:?}", t.elapsed());
        interp.enter(|vm| {
            let t = std::time::Instant::now();
            if let Err(e) = super::vm::warm_up(vm) { vm.print_exception(&e); panic!() }
            eprintln!("warm {:?}", t.elapsed());
            let scope = vm.new_scope_with_builtins();
            let code = vm.compile("import sys\nprint(sys.path, sys.meta_path, sys.path_hooks, sys.version, sys.prefix, sys.executable)\nimport json\nprint(json, dir())\nprint(sys.modules.keys())", rustpython_vm::compiler::Mode::Exec, "<t>").unwrap();
            if let Err(e) = vm.run_code_obj(code, scope) { vm.print_exception(&e); panic!() }
        });
    }
}
