#include "control/streams/quic/quic_thread.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

#include "control/streams/quic/tls.h"
#include "matchers/octets.h"

namespace steer::quic {
namespace {

constexpr Nanoseconds kReportEvery = kSecond;
// Until a full channel is tried again.
constexpr Nanoseconds kFullPause = 2 * kMillisecond;
constexpr unsigned kMessagesPerTurn = 64;
constexpr std::size_t kEvents = 64;

Nanoseconds read_clock(clockid_t which) {
    timespec at{};
    ::clock_gettime(which, &at);
    return static_cast<Nanoseconds>(at.tv_sec) * kSecond + static_cast<Nanoseconds>(at.tv_nsec);
}

template <class Record>
void put_path(Record& record, const QuicPath& path) {
    std::ranges::copy(path.remote.address().bytes, record.client);
    std::ranges::copy(path.local.address().bytes, record.local);
    record.client_port = path.remote.port();
    record.local_port = path.local.port();
}

}  // namespace

QuicThread::QuicThread(unsigned index, const Begin& begin,
                       const std::shared_ptr<ProcessMemory>& memory, Descriptor channel)
    : channel_(std::move(channel), kMaxMessage),
      memory_(memory),
      server_(index, begin.threads, begin.secrets, *this, *this, fill_random, memory_),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      upstreams_(
          server_.counters(), [this](int fd) { follow(fd); },
          [this](std::string_view message) { return say(message); }, memory_) {
    follow(channel_.fd());
    follow(wake_.get());
    server_.on_opened = [this](std::uint64_t connection, std::uint16_t service,
                               const QuicPath& path) {
        OpenedRecord record{};
        record.connection = connection;
        record.service = service;
        put_path(record, path);
        if (!opened_.fits<OpenedRecord>(0)) pass_opened();
        opened_.add(record);
    };
}

QuicThread::~QuicThread() = default;

Times QuicThread::times() {
    return {read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_REALTIME)};
}

void QuicThread::follow(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

// ---- from other threads

void QuicThread::post(std::function<void()> job) {
    {
        const std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
    }
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
}

void QuicThread::do_jobs() {
    std::uint64_t count = 0;
    (void)!::read(wake_.get(), &count, sizeof count);
    std::vector<std::function<void()>> jobs;
    {
        const std::lock_guard lock(mutex_);
        jobs.swap(jobs_);
    }
    for (const auto& job : jobs)
        job();
}

void QuicThread::use_service(std::shared_ptr<const QuicService> service) {
    post([this, service = std::move(service)] { services_[service->number] = service; });
}

void QuicThread::add_socket(const AddressSockets& sockets, Descriptor socket) {
    const auto place = std::make_shared<Place>(
        sockets.service, DatagramSocket(std::move(socket), socket_address(sockets.where)));
    post([this, place] {
        const int fd = place->socket.fd();
        sockets_[fd] = place;
        follow(fd);
    });
}

void QuicThread::close_socket(const BoundAddress& where) {
    post([this, local = socket_address(where)] {
        std::erase_if(sockets_,
                      [&](const auto& one) { return one.second->socket.local() == local; });
    });
}

void QuicThread::set_draining(bool on) {
    post([this, on] { server_.set_draining(on); });
}

void QuicThread::stop() {
    post([this] { is_stopping_ = true; });
}

// ---- its loop

void QuicThread::run() {
    std::array<epoll_event, kEvents> events{};
    while (is_good() && !is_stopping_) {
        turns_.fetch_add(1, std::memory_order_relaxed);
        const Nanoseconds now = read_clock(CLOCK_MONOTONIC);
        Nanoseconds next = std::min({server_.next_expiry(), upstreams_.next_expiry(), report_at_});
        if (!upstreams_.pass()) next = std::min(next, now + kFullPause);
        const auto wait_ms =
            next <= now
                ? 0
                : static_cast<int>(std::min((next - now) / kMillisecond + 1, Nanoseconds{1000}));
        const int count =
            ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_ms);
        for (int i = 0; i < count; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == wake_.get()) {
                do_jobs();
            } else if (fd == channel_.fd()) {
                read_channel();
            } else if (const auto at = sockets_.find(fd); at != sockets_.end()) {
                read_socket(*at->second);
            } else {
                (void)upstreams_.read(fd, times().now);
            }
        }
        const Times when = times();
        server_.flush(when);
        server_.expire(when);
        upstreams_.flush(when.now);
        upstreams_.expire(when.now);
        pass_queries();
        pass_opened();
        server_.flush(when);
        if (when.now >= report_at_) report();
    }
    server_.close_all(times());
    upstreams_.close_all(times().now);
    report();
}

void QuicThread::read_socket(Place& place) {
    // Without its service, whose certificate was refused, datagrams are dropped.
    const auto service = services_.find(place.service);
    const Times when = times();
    place.socket.read([&](std::span<const std::uint8_t> datagram, unsigned ecn,
                          const stream::SocketAddress& remote) {
        if (service != services_.end())
            server_.receive(service->second, datagram, ecn, {place.socket.local(), remote}, when);
    });
}

void QuicThread::send(const QuicPath& path, unsigned ecn, std::span<const std::uint8_t> bytes,
                      std::size_t each) {
    for (auto& [fd, place] : sockets_) {
        if (!(QuicPath{place->socket.local(), path.remote} == path)) continue;
        const std::size_t lost = place->socket.send(path.remote, ecn, bytes, each);
        if (lost > 0) server_.counters().add(QuicCount::datagrams_not_sent, lost);
        return;
    }
    server_.counters().add(QuicCount::datagrams_not_sent, (bytes.size() + each - 1) / each);
}

// ---- the channel

bool QuicThread::say(std::string_view message) {
    switch (channel_.send(message, false)) {
        case SequencedSocket::End::done:
            return true;
        case SequencedSocket::End::full:
            server_.counters().add(QuicCount::channel_full);
            return false;
        case SequencedSocket::End::closed:
        case SequencedSocket::End::broken:
            break;
    }
    is_good_ = false;
    return false;
}

bool QuicThread::take_query(const StreamQuery& query) {
    QueryRecord record{};
    record.connection = query.connection;
    record.stream = query.stream;
    put_path(record, query.addresses);
    record.service = query.service;
    const auto name = query.server_name.substr(0, 0xff);
    record.name_bytes = static_cast<std::uint8_t>(name.size());
    record.message_bytes = static_cast<std::uint32_t>(query.message.size());
    // A head is shorter (doh_request.h).
    const auto forwarded_for = query.forwarded_for.substr(0, 0xffff);
    record.path = query.path;
    record.forwarded_bytes = static_cast<std::uint16_t>(forwarded_for.size());
    if (!queries_.fits<QueryRecord>(name.size() + forwarded_for.size() + query.message.size()))
        pass_queries();
    queries_.add(record, {name, forwarded_for, chars_of(query.message)});
    passed_.push_back({query.connection, query.stream});
    return true;
}

// Queries that find no room are ended here: their clients ask again.
void QuicThread::pass_queries() {
    if (queries_.empty()) return;
    const bool is_passed = say(queries_.message());
    queries_.clear();
    const auto passed = std::exchange(passed_, {});
    if (is_passed) return;
    const Times when = times();
    for (const Passed& one : passed)
        server_.answer(one.connection, one.stream, QueryEnd::over_limit, {}, when);
}

// A full batch that finds no room is lost: these connections are not limited.
void QuicThread::pass_opened() {
    if (opened_.empty()) return;
    if (!say(opened_.message()) && opened_.fits<OpenedRecord>(0)) return;
    opened_.clear();
}

void QuicThread::report() {
    report_at_ = read_clock(CLOCK_MONOTONIC) + kReportEvery;
    GrownCounts grown;
    for (std::size_t i = 0; i < kQuicCountSize; ++i)
        grown.by[i] = server_.counters().get(static_cast<QuicCount>(i)) - reported_[i];
    grown.connections = server_.open_by_protocol();
    grown.memory_bytes = memory_.used();
    if (!say(encode(grown))) return;
    for (std::size_t i = 0; i < kQuicCountSize; ++i)
        reported_[i] += grown.by[i];
}

void QuicThread::read_channel() {
    for (unsigned i = 0; i < kMessagesPerTurn; ++i) {
        std::string_view bytes;
        std::vector<Descriptor> beside;
        const auto end = channel_.receive(bytes, false, &beside);
        if (end == SequencedSocket::End::full) return;
        const auto message =
            end == SequencedSocket::End::done ? decode_channel(bytes) : std::nullopt;
        if (!message) {
            is_good_ = false;
            return;
        }
        take(*message, std::move(beside));
    }
}

void QuicThread::take(const ChannelMessage& message, std::vector<Descriptor> beside) {
    const Times when = times();
    if (const auto* const ends = std::get_if<std::vector<EndView>>(&message)) {
        for (const EndView& one : *ends) {
            server_.answer(one.record.connection, one.record.stream,
                           static_cast<QueryEnd>(one.record.end), octets_of(one.response), when);
        }
    } else if (const auto* const refused = std::get_if<std::vector<std::uint64_t>>(&message)) {
        for (const std::uint64_t connection : *refused)
            server_.refuse(connection, when);
    } else if (const auto* const opening = std::get_if<UpstreamOpening>(&message)) {
        is_good_ = is_good_ && upstreams_.open(*opening, std::move(beside), when.now);
    } else if (const auto* const asks = std::get_if<std::vector<AskView>>(&message)) {
        upstreams_.take(*asks);
    } else if (const auto* const orders = std::get_if<std::vector<OrderRecord>>(&message)) {
        upstreams_.take(*orders, when.now);
    } else {
        is_good_ = false;
    }
}

}  // namespace steer::quic
