#include "control/host/process/child_runner.h"

#include <fcntl.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "control/host/process/sequenced_socket.h"

namespace steer {
namespace {

using boost::asio::posix::stream_descriptor;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr unsigned kMessagesPerTurn = 64;  // before others of the thread have their turn
constexpr const char* kNotUnderstood = "it sent a message that steerdnsd does not know";

// False: see errno.
bool assign(stream_descriptor& into, int fd) {
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

std::string ChildFailure::sentence(std::string_view effect) const {
    return why + ": " + std::string(effect) + "; it is started again in " +
           std::to_string((pause.count() + 999) / 1000) + " s";
}

// One run. Members are destroyed in this order: the socket closes before the wait for the process.
struct ChildRunner::Life {
    Life(boost::asio::io_context& io, StartedChild started, std::size_t max_bytes)
        : process(std::move(started.process)),
          readable(io),
          writable(io),
          end(io),
          silence(io),
          socket(std::move(started.socket), max_bytes) {}

    // False: see errno.
    bool watch() {
        return assign(readable, socket.fd()) && assign(writable, socket.fd()) &&
               assign(end, process.end_fd());
    }
    void give_up(const std::string& reason) {
        if (why.empty()) why = reason;  // the first: its closed socket follows
        process.kill();
    }

    ChildProcess process;
    stream_descriptor readable, writable, end;
    boost::asio::steady_timer silence;
    SequencedSocket socket;
    steady_clock::time_point since = steady_clock::now();
    steady_clock::time_point last_message = since;
    bool waits_for_room = false;  // or cannot be written to
    bool is_unneeded = false;
    std::string why;  // why we ended it; empty: it ended itself
};

ChildRunner::ChildRunner(boost::asio::io_context& io, ChildOwner& owner, Start start,
                         Settings settings)
    : io_(io),
      owner_(owner),
      start_(std::move(start)),
      name_(std::move(settings.name)),
      max_bytes_(settings.max_bytes),
      most_silence_(settings.most_silence),
      backoff_(settings.backoff),
      restart_(io) {}

ChildRunner::~ChildRunner() {
    stop();
    *is_alive_ = false;
}

// ---- start and end

void ChildRunner::start() {
    is_due_ = false;
    restart_.cancel();
    if (life_ != nullptr) return;
    auto started = start_();
    if (!started) return restart_after({}, started.error().text);
    auto life = std::make_shared<Life>(io_, std::move(*started), max_bytes_);
    if (!life->watch()) {
        const std::string reason = std::strerror(errno);
        life->process.kill();
        return restart_after({}, name_ + " cannot be watched: " + reason);
    }
    life_ = std::move(life);
    await_messages();
    await_end();
    await_silence();
    owner_.child_began();
}

void ChildRunner::start_soon() {
    if (life_ != nullptr || std::exchange(is_due_, true)) return;
    boost::asio::post(io_, [this, is_alive = is_alive_] {
        if (*is_alive) start_if_due();
    });
}

// A timer that expired before its cancel still calls this.
void ChildRunner::start_if_due() {
    if (is_due_) start();
}

void ChildRunner::stop() {
    is_due_ = false;
    restart_.cancel();
    if (life_ == nullptr) return;
    // Handlers that wait have the life, too.
    const LifePtr life = std::exchange(life_, nullptr);
    life->silence.cancel();
    boost::system::error_code none;
    for (stream_descriptor* const one : {&life->readable, &life->writable, &life->end})
        one->close(none);
    life->socket = SequencedSocket();
}

void ChildRunner::end(const std::string& why) {
    is_due_ = false;
    restart_.cancel();
    if (life_ == nullptr || std::exchange(life_->is_unneeded, true)) return;
    life_->give_up(why);
}

void ChildRunner::give_up(const std::string& why) {
    if (life_ != nullptr) life_->give_up(why);
}

std::function<void()> ChildRunner::not_understood() {
    return [this, &io = io_, is_alive = is_alive_, weak = std::weak_ptr<Life>(life_)] {
        boost::asio::post(io, [this, is_alive, weak] {
            const LifePtr life = weak.lock();
            if (*is_alive && life != nullptr && life == life_) life->give_up(kNotUnderstood);
        });
    };
}

void ChildRunner::ended() {
    const LifePtr life = life_;
    while (life->why.empty() && read() == Read::more) {  // its last words
    }
    if (life != life_) return;  // its owner stopped it
    life_.reset();
    const std::string status = life->process.reap();
    life->silence.cancel();
    const bool is_needed = owner_.needs_child();
    if (is_needed && !life->is_unneeded) {
        const auto lived =
            std::chrono::duration_cast<milliseconds>(steady_clock::now() - life->since);
        restart_after(lived, name_ + (life->why.empty() ? " ended (" + status + ")"
                                                        : " was ended: " + life->why));
    }
    owner_.child_ended();
    if (is_needed && life->is_unneeded) start_soon();
}

void ChildRunner::restart_after(milliseconds lived, const std::string& why) {
    const auto pause = backoff_.next(lived);
    is_due_ = true;
    restart_.expires_after(pause);
    restart_.async_wait([this, is_alive = is_alive_](const auto& error) {
        if (!error && *is_alive) start_if_due();
    });
    owner_.child_failed({why, pause});
}

// ---- what it waits for

// A handler that does nothing once this run is over.
template <class Then>
auto ChildRunner::in_this_run(Then then) {
    return [this, is_alive = is_alive_, life = life_, then](const auto& error) {
        if (!error && *is_alive && life == life_) then();
    };
}

void ChildRunner::await_messages() {
    life_->readable.async_wait(stream_descriptor::wait_read, in_this_run([this] {
                                   if (read() != Read::over) await_messages();
                               }));
}

void ChildRunner::await_room() {
    life_->writable.async_wait(stream_descriptor::wait_write, in_this_run([this] {
                                   life_->waits_for_room = false;
                                   owner_.child_has_room();
                               }));
}

void ChildRunner::await_end() {
    life_->end.async_wait(stream_descriptor::wait_read, in_this_run([this] { ended(); }));
}

// Reads its messages first: this thread may have been stopped just as long.
void ChildRunner::await_silence() {
    life_->silence.expires_at(life_->last_message + most_silence_);
    life_->silence.async_wait(in_this_run([this] {
        if (!life_->why.empty() || read() == Read::over) return;
        if (steady_clock::now() - life_->last_message < most_silence_) return await_silence();
        life_->give_up("it does not answer");
    }));
}

// ---- messages

bool ChildRunner::has_room() const {
    return life_ != nullptr && !life_->waits_for_room && !life_->is_unneeded;
}

bool ChildRunner::send(std::string_view message, std::span<const int> descriptors) {
    if (!has_room()) return false;
    const auto sent = life_->socket.send(message, false, descriptors);
    const int error = errno;
    if (sent == SequencedSocket::End::done) return true;
    life_->waits_for_room = true;  // the reader notices its end
    if (sent == SequencedSocket::End::full) await_room();
    if (sent == SequencedSocket::End::broken)
        life_->give_up(std::string("it cannot be written to: ") + std::strerror(error));
    return false;
}

ChildRunner::Read ChildRunner::read() {
    const LifePtr life = life_;
    const auto give_up = [&](const char* why) {
        life->give_up(why);
        return Read::over;
    };
    for (unsigned i = 0; i < kMessagesPerTurn; ++i) {
        std::string_view bytes;
        switch (life->socket.receive(bytes, false)) {
            case SequencedSocket::End::full:
                return Read::empty;
            case SequencedSocket::End::closed:
                return give_up("");
            case SequencedSocket::End::broken:
                return give_up("it cannot be read");
            case SequencedSocket::End::done:
                break;
        }
        if (!owner_.take_message(bytes)) return give_up(kNotUnderstood);
        if (life != life_) return Read::over;  // its owner stopped it
        life->last_message = steady_clock::now();
    }
    return Read::more;
}

}  // namespace steer
