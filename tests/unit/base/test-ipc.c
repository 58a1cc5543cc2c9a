#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/ipc.h"

static const struct ipc_type table[] = {
	[1] = { "text", 1, 16, 0 },
	[2] = { "descriptor", 0, 0, 1 },
};

static void test_messages_arrive_whole_and_in_order(void **state)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	_cleanup_ipc_message_ struct ipc_message with_fd = IPC_MESSAGE_INIT;
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fds[2];

	(void)state;
	assert_int_equal(ipc_socketpair(fds), 0);
	assert_int_equal(ipc_send(fds[0], 1, 7, SPAN("hello"), NULL, 0), 0);
	assert_int_equal(ipc_send(fds[0], 2, 8, (struct span){ 0 }, &null_fd, 1), 0);
	assert_int_equal(ipc_receive(fds[1], table, ARRAY_SIZE(table), &m), 1);
	assert_int_equal(m.id, 7);
	assert_string_equal(m.payload.data, "hello");
	assert_int_equal(ipc_receive(fds[1], table, ARRAY_SIZE(table), &with_fd), 1);
	assert_int_equal(with_fd.n_fds, 1);
	assert_int_equal(fcntl(with_fd.fds[0], F_GETFD), FD_CLOEXEC);
	fd_close(fds[0]);
	fd_close(null_fd);
	ipc_message_done(&m);
	assert_int_equal(ipc_receive(fds[1], table, ARRAY_SIZE(table), &m), 0);
	fd_close(fds[1]);
}

static void check_refused(uint16_t type, struct span payload, const int *fds_sent, size_t n_fds)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	int fds[2];

	assert_int_equal(ipc_socketpair(fds), 0);
	assert_int_equal(ipc_send(fds[0], type, 0, payload, fds_sent, n_fds), 0);
	assert_int_equal(ipc_receive(fds[1], table, ARRAY_SIZE(table), &m), -EBADMSG);
	fd_close(fds[0]);
	fd_close(fds[1]);
}

static void test_what_the_table_does_not_allow_is_refused(void **state)
{
	int fd = 0;

	(void)state;
	check_refused(0, SPAN("x"), NULL, 0);		     /* no such type */
	check_refused(9, SPAN("x"), NULL, 0);		     /* beyond the table */
	check_refused(1, (struct span){ 0 }, NULL, 0);	     /* too short */
	check_refused(1, SPAN("12345678901234567"), NULL, 0); /* too long */
	check_refused(1, SPAN("x"), &fd, 1);		     /* an unwanted descriptor */
	check_refused(2, (struct span){ 0 }, NULL, 0);	     /* a missing descriptor */
}

static void test_bytes_that_are_no_message_are_refused(void **state)
{
	_cleanup_ipc_message_ struct ipc_message m = IPC_MESSAGE_INIT;
	const char junk[40] = "this is not a message of ours";
	int fds[2];

	(void)state;
	assert_int_equal(ipc_socketpair(fds), 0);
	for (size_t n = 1; n <= sizeof(junk); n++) {
		assert_int_equal(send(fds[0], junk, n, 0), n);
		assert_int_equal(ipc_receive(fds[1], table, ARRAY_SIZE(table), &m), -EBADMSG);
		/* A message shorter than the header is not even taken. */
		if (n < 16)
			(void)recv(fds[1], (char[64]){ 0 }, 64, 0);
	}
	fd_close(fds[0]);
	fd_close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_arrive_whole_and_in_order),
		cmocka_unit_test(test_what_the_table_does_not_allow_is_refused),
		cmocka_unit_test(test_bytes_that_are_no_message_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
