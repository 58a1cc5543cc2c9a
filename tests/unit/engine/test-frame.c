/* Frames: what is put is taken, in pieces or at once; what is none is refused at its header. */
#include <errno.h>

#include "engine/frame.h"
#include "unit.h"

static void test_round_trip(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);
	const uint32_t signal_number = 15;
	struct frame f;
	size_t len;

	(void)state;
	assert_int_equal(frame_put(&b, FRAME_DATA, SPAN("some input")), 0);
	assert_int_equal(frame_put(&b, FRAME_SIGNAL, span_make(&signal_number, 4)), 0);
	assert_int_equal(frame_put(&b, FRAME_END, (struct span){ 0 }), 0);
	assert_int_equal(frame_take(buf_span(&b), &f, &len), 1);
	assert_int_equal(f.type, FRAME_DATA);
	assert_true(span_eq(f.payload, SPAN("some input")));
	buf_consume(&b, len);
	assert_int_equal(frame_take(buf_span(&b), &f, &len), 1);
	assert_int_equal(f.type, FRAME_SIGNAL);
	assert_memory_equal(f.payload.p, &signal_number, 4);
	buf_consume(&b, len);
	assert_int_equal(frame_take(buf_span(&b), &f, &len), 1);
	assert_int_equal(f.type, FRAME_END);
	buf_consume(&b, len);
	assert_int_equal(b.len, 0);
}

static void test_pieces(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);
	struct frame f;
	size_t len;

	(void)state;
	assert_int_equal(frame_put(&b, FRAME_HELLO, SPAN("hello")), 0);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(frame_take(span_make(b.data, n), &f, &len), 0);
	assert_int_equal(frame_take(buf_span(&b), &f, &len), 1);
	assert_int_equal(len, b.len);
}

static int take_header(uint32_t type, uint32_t len)
{
	const uint32_t header[2] = { type, len };
	struct frame f;
	size_t n;

	return frame_take(span_make(header, sizeof(header)), &f, &n);
}

static void test_nonsense(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(0);

	(void)state;
	assert_int_equal(take_header(FRAME_NONE, 0), -EBADMSG);
	assert_int_equal(take_header(FRAME_MAX, 0), -EBADMSG);
	assert_int_equal(take_header(UINT32_MAX, 0), -EBADMSG);
	assert_int_equal(take_header(FRAME_DATA, 0), -EBADMSG);
	assert_int_equal(take_header(FRAME_DATA, (uint32_t)FRAME_DATA_MAX), 0);
	assert_int_equal(take_header(FRAME_DATA, (uint32_t)FRAME_DATA_MAX + 1), -EBADMSG);
	assert_int_equal(take_header(FRAME_END, 1), -EBADMSG);
	assert_int_equal(take_header(FRAME_WINDOW, 3), -EBADMSG);
	assert_int_equal(take_header(FRAME_SIGNAL, 8), -EBADMSG);
	assert_int_equal(take_header(FRAME_HELLO, UINT32_MAX), -EBADMSG);
	assert_int_equal(frame_put(&b, FRAME_WINDOW, SPAN("x")), -EMSGSIZE);
	assert_int_equal(b.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
