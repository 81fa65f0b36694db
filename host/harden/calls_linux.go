package harden

// What is refused is listed, and not what is allowed. A list of what a Go program
// needs would be that of one version of Go, its runtime and each library, and the
// first call that it forgets, years later on somebody's kernel, would break a daemon
// in the middle of a request. What is listed here is never needed, so it cannot break
// anything; what is newer than the list is refused as well (see newestCall). The rest
// is what files, memory, clocks, threads and open sockets need, and files and sockets
// are Landlock's matter.
//
// The engine makes code at run time, so mmap and mprotect with PROT_EXEC must stay.
// The images need ioctl for PAGEMAP_SCAN; threads need clone, futex and tgkill.

// never are calls that a process which runs guests does not make. They are answered
// with EPERM and do not end the process: should a library of tomorrow try one, it
// falls back or reports an error, and an attacker learns nothing by trying.
var never = []string{
	// other processes' memory and secrets
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp",
	"pidfd_getfd", "perf_event_open", "userfaultfd", "lookup_dcookie",
	"keyctl", "add_key", "request_key",
	// code in the kernel, and the kernel itself
	"bpf", "init_module", "finit_module", "delete_module", "create_module", "query_module", "get_kernel_syms",
	"kexec_load", "kexec_file_load", "reboot", "syslog", "acct", "swapon", "swapoff", "_sysctl", "sysfs",
	"iopl", "ioperm", "modify_ldt", "personality", "uselib", "nfsservctl", "vhangup", "quotactl", "quotactl_fd",
	"settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname",
	// calls made through memory, which no filter sees, and their older kin
	"io_uring_setup", "io_uring_enter", "io_uring_register",
	"io_setup", "io_submit", "io_destroy", "io_cancel", "io_getevents", "io_pgetevents",
	// another view of the system
	"mount", "umount2", "pivot_root", "chroot", "unshare", "setns",
	"open_tree", "open_tree_attr", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
	"statmount", "listmount", "name_to_handle_at", "open_by_handle_at", "fanotify_init", "fanotify_mark",
	// another user, or more or less power over it
	"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups", "capset",
	// what Landlock does not cover: special files, modes, owners and attributes by path
	"mknod", "mknodat", "chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat",
	"setxattr", "lsetxattr", "setxattrat", "removexattr", "lremovexattr", "removexattrat",
	// memory on other processors and of other processes
	"mbind", "migrate_pages", "move_pages", "set_mempolicy", "set_mempolicy_home_node", "remap_file_pages", "memfd_secret",
	"shmget", "shmat", "shmctl", "shmdt", "msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semtimedop", "semctl",
	"mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive", "mq_notify", "mq_getsetattr",
	// the turns of other processes
	"setpriority", "sched_setscheduler", "sched_setparam", "sched_setattr", "ioprio_set",
}

// processes are calls for starting programs and sending signals to them.
var processes = []string{
	"execve", "execveat", "fork", "vfork",
	"tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open", "pidfd_send_signal",
}

// sockets are calls that make sockets.
var sockets = []string{"socket", "socketpair"}

// refused are the names of all calls that o does not need.
func refused(o Options) []string {
	names := append([]string{}, never...)
	if len(o.Execute) == 0 {
		names = append(names, processes...)
	}
	if !o.Network {
		names = append(names, sockets...)
	}
	return names
}
