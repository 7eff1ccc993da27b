// SPDX-License-Identifier: GPL-2.0
/*
 * The init of the guests that have nothing but an initramfs (ci/data/machines): runs
 * the programs in /stack and prints their verdicts, and those of the KUnit suites
 * that the kernel ran at boot, as one KTAP document on the console, as
 * ci/guest-init does where there is a root file system.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void mount_fs(const char *type, const char *dir)
{
	mkdir(dir, 0755);
	if (mount(type, dir, type, 0, NULL))
		printf("# no %s on %s\n", type, dir);
}

/* What mkswap writes: the version and the last page, and the magic. */
static void swap_on_zram(void)
{
	unsigned int header[3] = { 1, 0, 0 };
	const unsigned int bytes = 256 << 20;
	long page = sysconf(_SC_PAGESIZE);
	FILE *size = fopen("/sys/block/zram0/disksize", "w");
	int fd;

	if (!size || fprintf(size, "%u", bytes) < 0 || fclose(size)) {
		printf("# no zram\n");
		return;
	}
	header[1] = bytes / page - 1;
	fd = open("/dev/zram0", O_WRONLY);
	if (pwrite(fd, header, sizeof(header), 1024) != sizeof(header) ||
	    pwrite(fd, "SWAPSPACE2", 10, page - 10) != 10 ||
	    fsync(fd) || close(fd) || swapon("/dev/zram0", 0))
		perror("# no swap");
}

/* Returns what the program exited with, or 128 and more. */
static int run(const char *path)
{
	char line[4096];
	int out[2], status;
	FILE *from;
	pid_t pid;

	if (pipe(out))
		return 128;
	pid = fork();
	if (!pid) {
		dup2(out[1], 1);
		dup2(out[1], 2);
		close(out[0]);
		close(out[1]);
		execl(path, path, NULL);
		_exit(127);
	}
	close(out[1]);
	from = fdopen(out[0], "r");
	while (fgets(line, sizeof(line), from))
		printf("    %s", line);
	fclose(from);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 128;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define KUNIT "/sys/kernel/debug/kunit"

static int is_suite(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* A suite's file is a document of its own, its verdict the last line. */
static bool print_kunit(void)
{
	char path[PATH_MAX], line[4096];
	struct dirent **suite;
	bool ok = true;
	FILE *from;
	int i, n;

	n = scandir(KUNIT, &suite, is_suite, alphasort);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), KUNIT "/%s/results", suite[i]->d_name);
		from = fopen(path, "r");
		if (!from) {
			printf("    # no %s\n", path);
			ok = false;
			continue;
		}
		while (fgets(line, sizeof(line), from)) {
			if (!strncmp(line, "not ok", 6))
				ok = false;
			if (line[0] == ' ' || strstr(line, "ok ") || line[0] == '#')
				printf("    %s", line);
		}
		fclose(from);
	}
	return ok && n > 0;
}

int main(void)
{
	struct dirent **entry;
	struct termios tio;
	char path[PATH_MAX];
	int i, n, ret;

	/* On a host it would mount over what is there, and switch it off. */
	if (getpid() != 1) {
		fprintf(stderr, "this is the init of a guest that ci/guest boots\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	dup2(1, 2);
	if (!tcgetattr(1, &tio)) {
		tio.c_oflag &= ~OPOST;
		tcsetattr(1, TCSANOW, &tio);
	}
	mount_fs("proc", "/proc");
	mount_fs("sysfs", "/sys");
	mount_fs("devtmpfs", "/dev");
	mount_fs("tmpfs", "/tmp");
	mount_fs("tmpfs", "/dev/shm");
	mount_fs("debugfs", "/sys/kernel/debug");
	swap_on_zram();

	n = scandir("/stack", &entry, NULL, alphasort);
	/* The directory itself and its parent come first. */
	printf("KTAP version 1\n1..%d\n", n - 1);
	for (i = 2; i < n; i++) {
		snprintf(path, sizeof(path), "/stack/%s", entry[i]->d_name);
		printf("# start %s\n", path + 1);
		ret = run(path);
		if (!ret)
			printf("ok %d %s\n", i - 1, path + 1);
		else if (ret == 4)
			printf("ok %d %s # SKIP\n", i - 1, path + 1);
		else
			printf("not ok %d %s # exit code %d\n", i - 1, path + 1, ret);
	}
	printf("# start kunit\n");
	printf("%s %d kunit\n", print_kunit() ? "ok" : "not ok", n - 1);
	printf("# end of tests\n");
	sync();
	reboot(RB_POWER_OFF);
	/* Without a way to switch the power off: ci/guest does it. */
	for (;;)
		pause();
}
