#include "control/sinks/kernel_sets/set_life.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "control/sinks/set_process/program.h"

namespace steer::kernel_sets {
namespace {

using boost::asio::posix::stream_descriptor;
using std::chrono::steady_clock;

// False: see errno.
bool watch(stream_descriptor& into, int fd) {
    Descriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (copy.get() < 0) return false;
    boost::system::error_code error;
    into.assign(copy.get(), error);
    if (error) {
        errno = error.value();
        return false;
    }
    (void)copy.take();
    return true;
}

}  // namespace

SetLife::SetLife(boost::asio::io_context& io, StartedSets started)
    : process(std::move(started.process)),
      readable(io),
      writable(io),
      end(io),
      silence(io),
      socket(std::move(started.socket)) {}

Result<std::shared_ptr<SetLife>> SetLife::begin(boost::asio::io_context& io, StartedSets started) {
    auto life = std::make_shared<SetLife>(io, std::move(started));
    if (watch(life->readable, life->socket.fd()) && watch(life->writable, life->socket.fd()) &&
        watch(life->end, life->process.end_fd()))
        return life;
    const std::string reason = std::strerror(errno);
    life->process.kill();
    return Error{std::string(sets::kProgramName) + " cannot be watched: " + reason};
}

void SetLife::give_up(const std::string& reason) {
    if (why.empty()) why = reason;  // the first: its closed socket follows
    process.kill();
}

std::chrono::milliseconds SetLife::lived() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - since);
}

}  // namespace steer::kernel_sets
