/* CPython as a plugin of sandboxd: a WASI reactor with three entries.
 *
 * The host calls _initialize, which the C library provides, and then one of
 *
 *   warm_up()  start the interpreter and run /.sandboxd/warm_up.py, which leaves
 *              a function called "entry" behind; the host then takes an image of
 *              the memory;
 *   execute()  in an instance restored from that image: call the function;
 *   run()      without an image: do what the python command does with the
 *              arguments that the host gives. It exits; it does not return.
 *
 * The first two return 0, or 1 after an exception that our own Python code let
 * through and that was printed: the user's exceptions never get here. Between
 * them no C frame is on the stack, so nothing has to be found again.
 */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>
#include <wasi/api.h>

#define EXPORT(name) __attribute__((export_name(#name))) int name(void)

/* What the host shows to the guest; see host/cpython.go. */
static const wchar_t library[] = L"/.sandboxd/python313.zip";
static const char warm_up_file[] = "/.sandboxd/warm_up.py";

static PyObject *entry;

/* Give the configuration the arguments of the instance. */
static PyStatus
read_arguments(PyConfig *config)
{
    size_t count, size;
    if (__wasi_args_sizes_get(&count, &size) != 0) {
        return PyStatus_Error("no arguments");
    }
    uint8_t **argv = calloc(count + 1, sizeof(*argv));
    uint8_t *text = malloc(size + 1);
    if (argv == NULL || text == NULL || __wasi_args_get(argv, text) != 0) {
        return PyStatus_NoMemory();
    }
    PyStatus status = PyConfig_SetBytesArgv(config, (Py_ssize_t)count, (char *const *)argv);
    free(text);
    free(argv);
    return status;
}

/* There is one place for modules, whatever the arguments and the environment say,
 * and nothing of the machine that this was built on is in the module. */
static PyStatus
set_paths(PyConfig *config)
{
    const struct { wchar_t **field; const wchar_t *value; } texts[] = {
        {&config->program_name, L"python"},
        {&config->executable, L""},
        {&config->base_executable, L""},
        {&config->prefix, L"/usr"},
        {&config->base_prefix, L"/usr"},
        {&config->exec_prefix, L"/usr"},
        {&config->base_exec_prefix, L"/usr"},
        {&config->stdlib_dir, library},
    };
    for (size_t i = 0; i < Py_ARRAY_LENGTH(texts); i++) {
        PyStatus status = PyConfig_SetString(config, texts[i].field, texts[i].value);
        if (PyStatus_Exception(status)) {
            return status;
        }
    }
    config->module_search_paths_set = 1;
    return PyWideStringList_Append(&config->module_search_paths, library);
}

/* Start the interpreter as the python command would. */
static void
start(void)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0;
    PyStatus status = read_arguments(&config);
    if (!PyStatus_Exception(status)) {
        status = set_paths(&config);
    }
    if (!PyStatus_Exception(status)) {
        status = Py_InitializeFromConfig(&config);
    }
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        Py_ExitStatusException(status);
    }
}

/* Print the exception that is set. */
static int
failed(void)
{
    PyErr_Print();
    return 1;
}

EXPORT(run)
{
    start();
    exit(Py_RunMain());
}

EXPORT(warm_up)
{
    start();
    /* Kept, because what the file runs replaces __main__. */
    PyObject *module = PyImport_AddModuleRef("__main__");
    if (module == NULL) {
        return failed();
    }
    FILE *file = fopen(warm_up_file, "rb");
    if (file == NULL) {
        PyErr_SetFromErrnoWithFilename(PyExc_OSError, warm_up_file);
        return failed();
    }
    if (PyRun_SimpleFileExFlags(file, warm_up_file, 1, NULL) != 0) {
        return 1;
    }
    entry = PyObject_GetAttrString(module, "entry");
    Py_DECREF(module);
    return entry == NULL ? failed() : 0;
}

EXPORT(execute)
{
    PyObject *result = PyObject_CallNoArgs(entry);
    if (result == NULL) {
        return failed();
    }
    Py_DECREF(result);
    return 0;
}
