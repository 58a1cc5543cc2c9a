# A program at a terminal whose window changes: a shell that says its size, and is interrupted.
import fcntl, os, pty, select, struct, sys, termios, time
def size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
pid, fd = pty.fork()
if pid == 0:
    time.sleep(0.2)
    os.execvp(sys.argv[1], sys.argv[1:])
size(fd, 33, 101)
steps = [(b"ready", b"stty size; echo st''ep1\r"), (b"step1", None), (b"resized", b"stty size; echo st''ep2\r"),
         (b"step2", b"sleep 100\r"), (b"sleep 100\r", b"\x03"), (b"^C", b"exit 5\r")]
said, end = b"", time.time() + 40
while time.time() < end:
    if select.select([fd], [], [], 0.1)[0]:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        said += piece
    if steps and steps[0][0] in said:
        answer = steps.pop(0)[1]
        time.sleep(0.5)
        if answer is None:
            size(fd, 50, 120)
            said += b"resized"
        else:
            os.write(fd, answer)
print(said.decode(errors="replace"))
print("exit", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
