/*
 * IPC-05: System V shared memory, messages and semaphores, POSIX queues and /dev/shm of the host,
 * which has made them under KEY and the name QUEUE; then the same between processes inside.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

#include "escape.h"

const unsigned int technique_contexts = CONTEXT_SELF | CONTEXT_ORPHAN | CONTEXT_EXEC;

static int attach(key_t key, const char *want)
{
	int result, id = shmget(key, 0, 0);
	const char *p;

	if (id < 0)
		return -errno;
	p = shmat(id, NULL, SHM_RDONLY);
	if (p == (void *)-1)
		return -errno;
	result = memcmp(p, want, strlen(want)) == 0 ? 0 : -EBADMSG;
	shmdt(p);
	return result;
}

static int attach_by_number(const char *want)
{
	int n = shmctl(0, SHM_INFO, (struct shmid_ds *)&(struct shm_info){ 0 });

	for (int i = 0; i <= n; i++) {
		struct shmid_ds ds;
		int result, id = shmctl(i, SHM_STAT, &ds);
		const char *p = id < 0 ? (void *)-1 : shmat(id, NULL, SHM_RDONLY);

		if (p == (void *)-1)
			continue;
		result = ds.shm_segsz >= strlen(want) && memcmp(p, want, strlen(want)) == 0;
		shmdt(p);
		if (result)
			return 0;
	}
	return -ENOENT;
}

static int own_segment(void)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	char *p = shmat(id, NULL, 0);

	if (id < 0 || p == (void *)-1)
		return -errno;
	p[0] = 1;
	shmdt(p);
	return outcome(shmctl(id, IPC_RMID, NULL));
}

static int own_file(void)
{
	int fd = shm_open("/escape-own", O_CREAT | O_RDWR, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return outcome(shm_unlink("/escape-own"));
}

static int own_queue(void)
{
	mqd_t queue = mq_open("/escape-own", O_CREAT | O_RDWR, 0600, NULL);

	if (queue < 0)
		return -errno;
	mq_close(queue);
	return outcome(mq_unlink("/escape-own"));
}

void technique(void)
{
	key_t key = (key_t)need_number("KEY", 0);

	must_fail(attach(key, secret), "shared memory by its key");
	must_fail(attach_by_number(secret), "shared memory by its number");
	must_fail(outcome(msgget(key, 0)), "a message queue by its key");
	must_fail(outcome(semget(key, 0, 0)), "semaphores by their key");
	must_fail(took(mq_open(need("QUEUE"), O_RDONLY)), "a POSIX queue");
	must_fail(has_content(shm_open(need("QUEUE"), O_RDONLY, 0), secret), "/dev/shm");
	must_work(own_segment(), "shared memory of one's own");
	must_work(own_file(), "a file of one's own in /dev/shm");
	/* Landlock knows no permit for the file system of queues. */
	if (own_queue() < 0)
		note("there are no POSIX queues inside");
}
