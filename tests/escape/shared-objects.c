/* The host's side of IPC-05: shared-objects make|remove KEY QUEUE TEXT. */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	key_t key;
	int id, fd;
	void *p;

	if (argc != 5)
		return 2;
	key = (key_t)strtol(argv[2], NULL, 0);
	if (strcmp(argv[1], "remove") == 0) {
		shmctl(shmget(key, 0, 0), IPC_RMID, NULL);
		msgctl(msgget(key, 0), IPC_RMID, NULL);
		semctl(semget(key, 0, 0), 0, IPC_RMID);
		mq_unlink(argv[3]);
		shm_unlink(argv[3]);
		return 0;
	}
	id = shmget(key, 4096, IPC_CREAT | 0600);
	p = shmat(id, NULL, 0);
	if (p == (void *)-1)
		return 1;
	memcpy(p, argv[4], strlen(argv[4]));
	fd = shm_open(argv[3], O_CREAT | O_RDWR, 0600);
	return msgget(key, IPC_CREAT | 0600) < 0 || semget(key, 1, IPC_CREAT | 0600) < 0 ||
	       mq_open(argv[3], O_CREAT | O_RDWR, 0600, NULL) == (mqd_t)-1 || fd < 0 ||
	       write(fd, argv[4], strlen(argv[4])) < 0;
}
