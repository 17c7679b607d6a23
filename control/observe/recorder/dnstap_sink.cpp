#include "control/observe/recorder/dnstap_sink.h"

#include <fstrm.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "dataplane/port/descriptor.h"
#include "matchers/quote.h"

namespace steer::recorder {
namespace {

constexpr unsigned kReopenS = 1;
constexpr unsigned kInputQueue = 16'384;  // messages; libfstrm's maximum
constexpr unsigned kOutputQueue = 512;
constexpr unsigned kNotifyAt = 64;

}  // namespace

// The socket, as libfstrm's I/O calls use it. Its thread is the only one that opens, reads and writes.
class DnstapSink::Wire {
  public:
    explicit Wire(config::RecorderTap settings) : settings_(std::move(settings)) {}

    static fstrm_rdwr* make(const std::shared_ptr<Wire>& wire) {
        auto* const held = new std::shared_ptr<Wire>(wire);
        fstrm_rdwr* const calls = fstrm_rdwr_init(held);
        fstrm_rdwr_set_destroy(calls, [](void* object) {
            delete static_cast<std::shared_ptr<Wire>*>(object);
            return fstrm_res_success;
        });
        fstrm_rdwr_set_open(calls, [](void* object) { return of(object).open(); });
        fstrm_rdwr_set_close(calls, [](void* object) { return of(object).close(); });
        fstrm_rdwr_set_read(calls, [](void* object, void* data, std::size_t size) {
            return of(object).read(data, size);
        });
        fstrm_rdwr_set_write(calls, [](void* object, const iovec* parts, int count) {
            return of(object).write(parts, count);
        });
        return calls;
    }

    void end() { ending_ = true; }
    // libfstrm's call when it needs a message no longer.
    static void release(void* message, void* object) {
        std::free(message);
        static_cast<Wire*>(object)->released_.fetch_add(1, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t written() const { return written_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t released() const {
        return released_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool connected() const { return connected_; }
    [[nodiscard]] std::string error() const {
        const std::scoped_lock lock(mutex_);
        return error_;
    }

  private:
    static Wire& of(void* object) { return **static_cast<std::shared_ptr<Wire>*>(object); }

    fstrm_res fail(std::string_view what, int error) {
        fd_ = Descriptor{};
        connected_ = false;
        if (ending_) return fstrm_res_failure;
        const std::scoped_lock lock(mutex_);
        error_ = std::string(what) + ": " +
                 (error == EAGAIN || error == EINPROGRESS ? "no answer within a second"
                  : error == 0                            ? "it closed the connection"
                                                          : std::strerror(error));
        return fstrm_res_failure;
    }

    fstrm_res open() {
        if (ending_) return fstrm_res_failure;
        const bool is_unix = !settings_.socket.empty();
        const bool v4 = settings_.address.is_v4();
        fd_ = Descriptor(::socket(is_unix ? AF_UNIX
                                  : v4    ? AF_INET
                                          : AF_INET6,
                                  SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (fd_.get() < 0) return fail("no socket", errno);
        const timeval patience{.tv_sec = kPatienceS, .tv_usec = 0};
        (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_storage to{};
        socklen_t size = 0;
        if (is_unix) {
            auto& path = reinterpret_cast<sockaddr_un&>(to);
            path.sun_family = AF_UNIX;
            settings_.socket.copy(path.sun_path, sizeof path.sun_path - 1);
            size = sizeof path;
        } else if (v4) {
            auto& address = reinterpret_cast<sockaddr_in&>(to);
            address.sin_family = AF_INET;
            address.sin_port = htons(settings_.port);
            std::memcpy(&address.sin_addr, settings_.address.v4(), 4);
            size = sizeof address;
        } else {
            auto& address = reinterpret_cast<sockaddr_in6&>(to);
            address.sin6_family = AF_INET6;
            address.sin6_port = htons(settings_.port);
            std::memcpy(&address.sin6_addr, settings_.address.bytes.data(), 16);
            size = sizeof address;
        }
        if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), size) != 0)
            return fail("not reachable", errno);
        handshakes_ = true;
        return fstrm_res_success;
    }

    fstrm_res close() {
        fd_ = Descriptor{};
        connected_ = false;
        return fstrm_res_success;
    }

    fstrm_res read(void* data, std::size_t size) {
        auto* at = static_cast<char*>(data);
        while (size > 0) {
            const ssize_t n = ::recv(fd_.get(), at, size, 0);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return fail("no handshake of Frame Streams", n == 0 ? 0 : errno);
            at += n;
            size -= static_cast<std::size_t>(n);
        }
        return fstrm_res_success;
    }

    fstrm_res write(const iovec* parts, int count) {
        if (ending_ && !connected_) return fstrm_res_failure;
        std::vector<iovec> left(parts, parts + count);
        std::size_t first = 0;
        // (READY is written before ACCEPT is read, so the second write is behind the handshake.)
        if (!handshakes_) note_connected();
        handshakes_ = false;
        while (first < left.size()) {
            msghdr message{};
            message.msg_iov = left.data() + first;
            message.msg_iovlen = left.size() - first;
            ssize_t n = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return fail("not written", errno);
            for (; first < left.size() && static_cast<std::size_t>(n) >= left[first].iov_len;
                 ++first)
                n -= static_cast<ssize_t>(left[first].iov_len);
            if (first < left.size()) {
                left[first].iov_base = static_cast<char*>(left[first].iov_base) + n;
                left[first].iov_len -= static_cast<std::size_t>(n);
            }
        }
        // A message is two parts, its length and itself; a control frame is one part.
        written_.fetch_add(static_cast<std::uint64_t>(count) / 2, std::memory_order_relaxed);
        return fstrm_res_success;
    }

    void note_connected() {
        if (connected_.exchange(true)) return;
        const std::scoped_lock lock(mutex_);
        error_.clear();
    }

    const config::RecorderTap settings_;
    Descriptor fd_;
    bool handshakes_ = false;
    std::atomic<bool> connected_{false}, ending_{false};
    std::atomic<std::uint64_t> written_{0}, released_{0};  // messages
    mutable std::mutex mutex_;
    std::string error_;  // under the mutex
};

struct DnstapSink::Thread {
    fstrm_iothr* io = nullptr;
    fstrm_iothr_queue* queue = nullptr;
};

DnstapSink::DnstapSink(const config::RecorderTap& settings, DnstapSource source, Warn warn)
    : source_(std::move(source)),
      warn_(std::move(warn)),
      address_(!settings.socket.empty() ? "unix:" + settings.socket
               : settings.address.is_v4()
                   ? "tcp://" + settings.address.to_string() + ":" + std::to_string(settings.port)
                   : "tcp://[" + settings.address.to_string() +
                         "]:" + std::to_string(settings.port)),
      wire_(std::make_shared<Wire>(settings)),
      thread_(std::make_unique<Thread>()) {
    fstrm_writer_options* frames = fstrm_writer_options_init();
    (void)fstrm_writer_options_add_content_type(frames, kDnstapContent.data(),
                                                kDnstapContent.size());
    fstrm_rdwr* calls = Wire::make(wire_);
    fstrm_writer* writer = fstrm_writer_init(frames, &calls);
    fstrm_writer_options_destroy(&frames);
    fstrm_iothr_options* options = fstrm_iothr_options_init();
    (void)fstrm_iothr_options_set_input_queue_size(options, kInputQueue);
    (void)fstrm_iothr_options_set_output_queue_size(options, kOutputQueue);
    (void)fstrm_iothr_options_set_queue_notify_threshold(options, kNotifyAt);
    (void)fstrm_iothr_options_set_reopen_interval(options, kReopenS);
    thread_->io = fstrm_iothr_init(options, &writer);
    fstrm_iothr_options_destroy(&options);
    if (thread_->io != nullptr) thread_->queue = fstrm_iothr_get_input_queue(thread_->io);
}

DnstapSink::~DnstapSink() {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::seconds(kPatienceS);
    for (offer_waiting(); !waiting_.empty() && connected() && Clock::now() < end; offer_waiting())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    wire_->end();
    if (thread_->io != nullptr) fstrm_iothr_destroy(&thread_->io);
}

bool DnstapSink::connected() const {
    return wire_->connected();
}

std::string DnstapSink::error() const {
    return wire_->error();
}

std::uint64_t DnstapSink::sent() const {
    return wire_->written();
}

// A message that libfstrm has released was written, or it was given up.
std::uint64_t DnstapSink::failed() const {
    const std::uint64_t written = wire_->written(), released = wire_->released();
    return released > written ? released - written : 0;
}

void DnstapSink::Free::operator()(void* memory) const noexcept {
    std::free(memory);
}

bool DnstapSink::offer(Message& message) {
    if (fstrm_iothr_submit(thread_->io, thread_->queue, message.bytes.get(), message.size,
                           Wire::release, wire_.get()) != fstrm_res_success)
        return false;
    // libfstrm frees it once it is written, or when there is no receiver.
    (void)message.bytes.release();
    return true;
}

void DnstapSink::offer_waiting() {
    while (!waiting_.empty() && offer(waiting_.front())) {
        waiting_bytes_ -= waiting_.front().size;
        waiting_.pop_front();
    }
}

void DnstapSink::submit() {
    Message message{.bytes = nullptr, .size = message_.size()};
    if (wire_->connected()) message.bytes.reset(std::malloc(message.size));
    if (message.bytes == nullptr) {
        ++lost_;
        return;
    }
    std::memcpy(message.bytes.get(), message_.data(), message.size);
    if (waiting_.empty() && offer(message)) return;
    if (waiting_bytes_ + message.size > kWaitingBytes) {
        ++lost_;
        return;
    }
    waiting_bytes_ += message.size;
    waiting_.push_back(std::move(message));
}

void DnstapSink::send(const RecordedQuery& query) {
    if (thread_->queue == nullptr) {
        ++lost_;
        return;
    }
    offer_waiting();
    put_client_query(source_, query, message_);
    submit();
    if (query.rcode == kNoRcode) return;
    put_client_response(source_, query, message_);
    submit();
}

void DnstapSink::poll() {
    offer_waiting();
    const bool is_connected = connected();
    if (is_connected && !was_connected_) {
        warn_("dnstap receiver " + address_ + " is connected");
        reported_.clear();
    }
    const std::string now = error();
    if (!is_connected && !now.empty() && now != reported_) {
        reported_ = now;
        warn_("queries are not sent to the dnstap receiver " + address_ + ": " + now +
              "; start a receiver there, it is tried again every second");
    }
    was_connected_ = is_connected;
}

}  // namespace steer::recorder
