#include "app_process.h"

#include "base_check.h"
#include "base_time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void redirect(const char *path, int to)
{
	int fd = open(path ? path : "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || dup2(fd, to) < 0)
		_exit(127);
	if (fd != to)
		close(fd);
}

static void become_child(const struct process_io *io, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, io->death_signal);
	if (getppid() != parent)
		_exit(127); /* the parent died before the line above */
	int in = io->in >= 0 ? io->in : open("/dev/null", O_RDONLY);
	if (dup2(in, STDIN_FILENO) < 0)
		_exit(127);
	redirect(io->out, STDOUT_FILENO);
	redirect(io->err ? io->err : io->out, STDERR_FILENO);
	for (int fd = 3; fd < 256; fd++)
		close(fd);
}

pid_t process_exec(const struct process_io *io, const char *const *argv)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	become_child(io, parent);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

pid_t process_command(const struct process_io *io, int (*run)(int argc, char **argv), const char *const *argv)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	int argc = 0;
	while (argv[argc])
		argc++;
	become_child(io, parent);
	exit(run(argc, (char **)(uintptr_t)argv));
}

static int exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int process_wait(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	return exit_code(status);
}

bool process_alive(pid_t pid)
{
	siginfo_t info = {0};
	return pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

void process_stop(pid_t pid, int signal, int64_t timeout_ms)
{
	if (pid <= 0)
		return;
	int64_t deadline_ms = time_mono_ms() + timeout_ms;
	kill(pid, signal);
	while (process_alive(pid) && time_mono_ms() < deadline_ms)
		poll(NULL, 0, 20); /* no descriptor tells of a child's end without taking SIGCHLD over */
	if (process_alive(pid))
		kill(pid, SIGKILL);
	(void)process_wait(pid);
}

static int bind_port(int port)
{
	struct sockaddr_in a = {
	        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	int got = -1;
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0)
		got = ntohs(a.sin_port);
	close(fd);
	return got;
}

int process_free_port(int preferred)
{
	int port = bind_port(preferred);
	return port > 0 ? port : bind_port(0);
}
