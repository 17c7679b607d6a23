#include "control/streams/quic/server.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "control/streams/quic/doq_streams.h"
#include "control/streams/quic/http3_streams.h"
#include "control/streams/quic/memory_order.h"

namespace steer::quic {
namespace {

constexpr Nanoseconds kHouseEvery = kSecond;
// So long may the acknowledgment of a query wait for its answer, to leave in one packet with it.
constexpr Nanoseconds kAwaitAnswer = kMillisecond;

// Queries are short: a client needs no more to have all its streams open.
constexpr std::uint64_t kConnectionBytes = 4 * kMaxDoqStream;

TransportSettings transport_of(const QuicService& service) {
    TransportSettings out;
    out.idle_time = static_cast<Nanoseconds>(service.limits.idle_timeout.count()) * kMillisecond;
    out.streams = service.limits.max_queries;
    out.bytes = kConnectionBytes;
    out.memory = most_of_connection(out.streams);
    if (service.protocol == config::ServerProtocol::http3) {
        out.stream_bytes = Http3Streams::kStreamBytes;
        out.uni_streams = Http3::kUniStreams;
        out.uni_bytes = Http3Streams::kStreamBytes;
    } else {
        out.stream_bytes = kMaxDoqStream;
    }
    return out;
}

std::uint64_t code_of(const QuicService& service, CloseReason reason) {
    return service.protocol == config::ServerProtocol::http3 ? Http3Streams::code_of(reason)
                                                             : DoqStreams::code_of(reason);
}

// A quarter of the memory of a thread.
std::size_t handshakes_within(std::uint64_t bytes) {
    return std::min<std::uint64_t>(
        QuicServer::kMostHandshakes,
        std::max<std::uint64_t>(QuicServer::kRetryFrom, bytes / 4 / kNewBytes));
}

}  // namespace

// A connection and its places in the lists of the server.
class QuicServer::Held final : public ServerControl {
  public:
    Held(QuicServer& server, std::uint64_t its_number, std::shared_ptr<const QuicService> service)
        : number(its_number), server_(server), service_(std::move(service)) {}

    // ServerControl
    void consumed(std::uint64_t count) override { connection->consumed(count); }
    void consumed_of(StreamId stream, std::uint64_t count) override {
        connection->consumed_of(stream, count);
    }
    void reset(StreamId stream, std::uint64_t code) override { connection->reset(stream, code); }
    void stop_reading(StreamId stream, std::uint64_t code) override {
        connection->stop_reading(stream, code);
    }
    std::optional<StreamId> open_uni_stream() override { return connection->open_uni_stream(); }
    Account& account() override { return connection->account(); }
    std::uint64_t now_ms() override { return server_.now_ms_; }
    void count(QuicCount what) override { server_.count(what); }

    void close(CloseReason reason, const Times& times) {
        connection->close(code_of(service(), reason), times.now);
    }
    [[nodiscard]] const QuicService& service() const { return *service_; }
    [[nodiscard]] const std::shared_ptr<const QuicService>& shared_service() const {
        return service_;
    }
    [[nodiscard]] bool is_open() const { return connection->state() == Connection::State::open; }

    const std::uint64_t number;
    std::unique_ptr<Connection> connection;
    ClientStreams* streams = nullptr;  // of the connection; nullptr: its handshake goes on
    std::optional<Timers::iterator> timer;
    std::list<Held*>* order = nullptr;  // its list, and its place there
    std::list<Held*>::iterator place;
    Nanoseconds begun = 0;
    QuicPath path;            // proved by the client; of its first packet until then
    IpAddress client{};       // that it counts for
    bool is_counted = false;  // as a connection
    bool has_place = false;   // of the service
    bool is_to_flush = false;
    bool is_sent_away = false;
    bool has_asked = false;
    bool awaits_answer = false;  // of a query of its last datagrams
    Nanoseconds write_by = 0;    // what waits for an answer leaves by then; 0: nothing waits
    std::uint64_t resets = 0;    // of its streams, that were counted

  private:
    QuicServer& server_;
    std::shared_ptr<const QuicService> service_;
};

QuicServer::QuicServer(unsigned thread, unsigned threads, const QuicSecrets& secrets,
                       Sender& sender, QueryTaker& taker, Random random, ThreadMemory& memory)
    : thread_(thread),
      threads_(threads),
      secrets_(secrets),
      sender_(sender),
      taker_(taker),
      random_(std::move(random)),
      memory_(memory),
      most_handshakes_(handshakes_within(memory.process().most() / threads)) {
    ConnectionIdHash hash;
    random_({reinterpret_cast<std::uint8_t*>(&hash.secret), sizeof hash.secret});
    by_id_ = Ids(0, hash);
}

QuicServer::~QuicServer() {
    while (!connections_.empty())
        forget(*connections_.begin()->second);
}

// ---- what connections need

ConnectionId QuicServer::random_id() {
    ConnectionId id;
    id.length = ConnectionId::kOwn;
    random_(std::span(id.bytes).first(ConnectionId::kOwn));
    // The byte's remainder is the thread; its other bits stay random.
    unsigned first = id.bytes[0];
    first = first - first % threads_ + thread_;
    if (first > 0xff) first -= threads_;
    id.bytes[0] = static_cast<std::uint8_t>(first);
    return id;
}

Connection::Host::NewId QuicServer::new_id() {
    const ConnectionId id = random_id();
    return {id, reset_token(id, secrets_)};
}

std::uint32_t& QuicServer::open_of(const Held& held) {
    return open_[static_cast<std::size_t>(held.service().protocol)];
}

void QuicServer::add_id(const ConnectionId& id, Connection& connection) {
    by_id_.insert_or_assign(id, connections_.at(connection.number()).get());
}

void QuicServer::remove_id(const ConnectionId& id) {
    by_id_.erase(id);
}

void QuicServer::send(const QuicPath& path, unsigned ecn, std::span<const std::uint8_t> bytes,
                      std::size_t each) {
    counters_.add(QuicCount::datagrams_sent, (bytes.size() + each - 1) / each);
    sender_.send(path, ecn, bytes, each);
}

// Queries count for the new address from now on, and not before it is proved.
void QuicServer::moved(Connection& connection, const QuicPath& path) {
    Held& held = *connections_.at(connection.number());
    if (held.path == path) return;
    held.path = path;
    count(QuicCount::migrations);
}

std::unique_ptr<Application> QuicServer::opened(Connection& connection, std::uint64_t& refusal) {
    Held& held = *connections_.at(connection.number());
    held.path = connection.path();
    held.client = held.path.remote.address();
    if (!held.service().counts->take(held.client,
                                     held.service().limits.max_connections_per_client)) {
        count(QuicCount::over_client_limit);
        refusal = code_of(held.service(), CloseReason::excessive_load);
        return nullptr;
    }
    held.is_counted = true;
    count(QuicCount::handshakes);
    if (!connection.is_handshake_complete()) count(QuicCount::early);
    if (is_resumed(connection.session())) count(QuicCount::handshakes_resumed);
    opening_.remove(held.number);
    held.order = &idle_;
    held.place = idle_.insert(idle_.end(), &held);
    auto streams = streams_of(held);
    if (streams == nullptr) {
        refusal = code_of(held.service(), CloseReason::protocol_error);
        return nullptr;
    }
    held.streams = streams.get();
    if (on_opened) on_opened(held.number, held.service().number, held.path);
    return streams;
}

std::unique_ptr<ClientStreams> QuicServer::streams_of(Held& held) {
    auto taker = [this, &held](const ClientStreams::Query& query) {
        count(QuicCount::queries);
        held.has_asked = true;
        idle_.splice(idle_.end(), idle_, held.place);
        const bool has_room = taker_.take_query({.connection = held.number,
                                                 .stream = query.stream,
                                                 .service = held.service().number,
                                                 .addresses = held.path,
                                                 .server_name = held.connection->server_name(),
                                                 .path = query.path,
                                                 .forwarded_for = query.forwarded_for,
                                                 .message = query.message});
        if (!has_room) count(QuicCount::unanswered);
        held.awaits_answer = has_room;
        return has_room;
    };
    if (held.service().protocol == config::ServerProtocol::http3)
        return Http3Streams::make(held, std::move(taker), held.shared_service());
    return std::make_unique<DoqStreams>(held, std::move(taker));
}

// ---- datagrams

void QuicServer::receive(const std::shared_ptr<const QuicService>& service,
                         std::span<const std::uint8_t> datagram, unsigned ecn, const QuicPath& path,
                         const Times& times) {
    now_ms_ = times.now / kMillisecond;
    wall_ = times.wall;
    count(QuicCount::datagrams_received);
    const DatagramHead head = read_head(datagram);
    if (head.kind == DatagramHead::Kind::bad) return count(QuicCount::datagrams_bad);
    if (head.kind == DatagramHead::Kind::other_version) {
        // Shorter ones would be answered with more than they are (RFC 9000 6.1).
        if (datagram.size() < kSmallestMtu || !may_answer_stateless(times))
            return count(QuicCount::datagrams_bad);
        count(QuicCount::versions_offered);
        std::uint8_t random = 0;
        random_({&random, 1});
        const auto packet = version_negotiation(head, random);
        return send(path, 0, packet, packet.size());
    }
    const auto known = by_id_.find(head.destination);
    if (known != by_id_.end()) {
        Held& held = *known->second;
        held.connection->receive(datagram, ecn, path, times.now);
        queue(held);
        (void)make_memory(0, times);
        return;
    }
    if (head.kind == DatagramHead::Kind::short_header)
        return send_reset(datagram, head, path, times);
    begin(service, datagram, ecn, path, times);
}

void QuicServer::begin(const std::shared_ptr<const QuicService>& service,
                       std::span<const std::uint8_t> datagram, unsigned ecn, const QuicPath& path,
                       const Times& times) {
    const auto first = read_first(datagram);
    if (!first || datagram.size() < kSmallestMtu) return count(QuicCount::datagrams_unknown);
    const TokenProof proof = judge_token(*first, path, secrets_, times.wall);
    if (proof.kind == TokenProof::Kind::invalid) {
        count(QuicCount::tokens_bad);
        return refuse(*first, path, kInvalidToken, times);
    }
    const bool has_proof = proof.kind == TokenProof::Kind::address;
    const bool is_full = service->counts->in_all() >= service->limits.max_connections ||
                         memory_.process().excess(kNewBytes) > 0;
    if (!has_proof && (opening_.size() >= kRetryFrom || is_full))
        return send_retry(*first, path, times);
    const bool has_memory = make_memory(kNewBytes, times);
    if (!has_memory || !take_place(service, path, has_proof, times)) {
        count(has_memory ? QuicCount::over_limit : QuicCount::no_memory);
        return refuse(*first, path, kConnectionRefused, times);
    }
    const std::uint64_t number = ++last_number_;
    Held& held =
        *connections_.emplace(number, std::make_unique<Held>(*this, number, service)).first->second;
    held.begun = times.now;
    held.path = path;
    held.client = path.remote.address();
    held.has_place = true;
    ++open_of(held);
    opening_.add(number, has_proof ? std::optional(held.client) : std::nullopt);
    const Connection::Opening opening{
        .version = first->version,
        .destination = first->destination,
        .source = first->source,
        .original_destination = proof.original_destination,
        .token = has_proof ? first->token : std::span<const std::uint8_t>{},
        .may_send_early = has_proof && early_.take(held.client, times.now)};
    held.connection = Connection::accept(*this, number, transport_of(*service), service->tls,
                                         opening, path, times.now);
    if (held.connection == nullptr) {
        count(QuicCount::datagrams_bad);
        return forget(held);
    }
    count(QuicCount::accepted);
    held.connection->receive(datagram, ecn, path, times.now);
    if (held.connection->state() == Connection::State::retry) send_retry(*first, path, times);
    queue(held);
}

// A place for a new handshake: of all, of the service, and of a client with a proof.
bool QuicServer::take_place(const std::shared_ptr<const QuicService>& service, const QuicPath& path,
                            bool has_proof, const Times& times) {
    const IpAddress client = path.remote.address();
    if (has_proof && opening_.of(client) >= kMostHandshakesOfClient) return false;
    if (opening_.size() >= most_handshakes_) {
        const auto replaced = opening_.replaceable_by(client);
        Held& leaves = *connections_.at(replaced.value_or(opening_.oldest()));
        if (!replaced && times.now - leaves.begun < kSparedTime) return false;
        count(QuicCount::handshakes_failed);
        forget(leaves);
    }
    const unsigned most = service->limits.max_connections;
    return service->counts->take_place(most) ||
           (has_proof && make_room(*service, times) && service->counts->take_place(most));
}

void QuicServer::refuse(const FirstPacket& first, const QuicPath& path, std::uint64_t code,
                        const Times& times) {
    if (!may_answer_stateless(times)) return;
    const auto packet = refusal(first, code);
    if (!packet.empty()) send(path, 0, packet, packet.size());
}

void QuicServer::send_retry(const FirstPacket& first, const QuicPath& path, const Times& times) {
    count(QuicCount::retries_sent);
    const auto packet = retry(first, path, random_id(), secrets_, times.wall);
    if (!packet.empty()) send(path, 0, packet, packet.size());
}

void QuicServer::send_reset(std::span<const std::uint8_t> datagram, const DatagramHead& head,
                            const QuicPath& path, const Times& times) {
    count(QuicCount::datagrams_unknown);
    // Of another thread: the kernel checks the first datagram of a train only.
    if (head.destination.bytes[0] % threads_ != thread_ || !may_answer_stateless(times)) return;
    std::array<std::uint8_t, 32> random{};
    random_(random);
    const auto packet = stateless_reset(datagram, head, secrets_, random);
    if (packet.empty()) return;
    count(QuicCount::resets_sent);
    send(path, 0, packet, packet.size());
}

bool QuicServer::may_answer_stateless(const Times& times) {
    if (times.now - budget_since_ >= kSecond) {
        budget_since_ = times.now;
        stateless_left_ = kStatelessPerSecond;
    }
    if (stateless_left_ == 0) return false;
    --stateless_left_;
    return true;
}

// ---- answers

void QuicServer::answer(std::uint64_t connection, StreamId stream, QueryEnd end,
                        std::span<const std::uint8_t> response, const Times& times) {
    const auto at = connections_.find(connection);
    if (at == connections_.end() || !at->second->is_open() || at->second->streams == nullptr)
        return count(QuicCount::answers_too_late);
    Held& held = *at->second;
    if (end == QueryEnd::protocol_error) {
        count(QuicCount::protocol_errors);
        held.close(CloseReason::protocol_error, times);
        return queue(held);
    }
    if (!held.streams->answer(stream, end, response)) return count(QuicCount::answers_too_late);
    held.awaits_answer = false;
    count(end == QueryEnd::answered ? QuicCount::answers : QuicCount::unanswered);
    queue(held);
}

void QuicServer::refuse(std::uint64_t connection, const Times& times) {
    const auto at = connections_.find(connection);
    if (at == connections_.end() || !at->second->is_open()) return;
    count(QuicCount::limited);
    at->second->close(CloseReason::excessive_load, times);
    queue(*at->second);
}

void QuicServer::queue(Held& held) {
    if (!std::exchange(held.is_to_flush, true)) to_flush_.push_back(&held);
}

void QuicServer::flush(const Times& times) {
    now_ms_ = times.now / kMillisecond;
    // forget() takes a connection out, so the vector may not be walked while it is changed.
    (void)make_memory(0, times);
    while (!to_flush_.empty()) {
        Held& held = *to_flush_.back();
        to_flush_.pop_back();
        held.is_to_flush = false;
        const bool awaits_answer = std::exchange(held.awaits_answer, false);
        if (awaits_answer && held.write_by == 0) held.write_by = times.now + kAwaitAnswer;
        if (!awaits_answer || times.now >= held.write_by) write(held, times);
        settle(held, times);
    }
}

void QuicServer::write(Held& held, const Times& times) {
    held.write_by = 0;
    held.connection->write(times.now);
}

// ---- times and the end

// After any call of a connection: its new time, or its end.
void QuicServer::settle(Held& held, const Times& times) {
    Connection& connection = *held.connection;
    if (held.streams != nullptr) {
        weigh(held, times);
        if (is_to_leave(held) && !close_if_idle(held, times)) send_away(held);
    }
    const auto state = connection.state();
    if (state != Connection::State::open && held.has_place) {
        // It counts no more, though it may stay a while for late packets.
        leave_lists(held);
        switch (connection.why()) {
            case Connection::Why::idle:
                count(QuicCount::idle);
                break;
            case Connection::Why::handshake:
                count(QuicCount::handshakes_failed);
                break;
            case Connection::Why::protocol:
                if (held.streams == nullptr) break;  // opened() counted why
                count(held.streams->was_flooded() ? QuicCount::floods : QuicCount::protocol_errors);
                break;
            case Connection::Why::by_peer:
                // It does not accept our certificate, or speaks none of our protocols.
                if (held.streams == nullptr) count(QuicCount::handshakes_failed);
                break;
            case Connection::Why::memory:
                count(QuicCount::over_connection_memory);
                break;
            case Connection::Why::none:
            case Connection::Why::by_us:
                break;
        }
        if (state == Connection::State::ending) {
            held.streams = nullptr;
            connection.shrink();
            if (ending_.size() >= kMostEnding) forget(*ending_.front());
            held.order = &ending_;
            held.place = ending_.insert(ending_.end(), &held);
        }
    }
    if (state == Connection::State::over || state == Connection::State::retry) return forget(held);
    set_timer(held);
}

// A client of a draining server may know no other one: it gets its answer first.
bool QuicServer::is_to_leave(const Held& held) const {
    return is_draining_ && (held.has_asked || held.number <= last_before_drain_);
}

void QuicServer::send_away(Held& held) {
    if (!held.is_open() || std::exchange(held.is_sent_away, true)) return;
    held.streams->send_away();
    queue(held);
}

// What its client does not read, and what it reset.
void QuicServer::weigh(Held& held, const Times& times) {
    const ClientStreams& streams = *held.streams;
    counters_.add(QuicCount::resets_received, streams.resets() - held.resets);
    held.resets = streams.resets();
    if (!held.is_open() || streams.unacknowledged() <= kMostUnacknowledged) return;
    count(QuicCount::stalled);
    held.close(CloseReason::excessive_load, times);
}

void QuicServer::set_timer(Held& held) {
    const bool waits = held.write_by != 0 && held.is_open();
    const Nanoseconds next = waits ? held.write_by : held.connection->next_expiry();
    if (!held.timer) {
        held.timer = timers_.emplace(next, &held);
    } else if ((*held.timer)->first != next) {
        auto node = timers_.extract(*held.timer);
        node.key() = next;
        held.timer = timers_.insert(std::move(node));
    }
}

// Gives its places back. May be called again.
void QuicServer::leave_lists(Held& held) {
    opening_.remove(held.number);
    if (held.order != nullptr) held.order->erase(held.place);
    held.order = nullptr;
    if (std::exchange(held.has_place, false)) held.service().counts->leave_place();
    if (std::exchange(held.is_counted, false)) held.service().counts->leave(held.client);
}

void QuicServer::forget(Held& held) {
    if (held.timer) timers_.erase(*held.timer);
    if (held.is_to_flush) std::erase(to_flush_, &held);
    leave_lists(held);
    --open_of(held);
    connections_.erase(held.number);
}

bool QuicServer::close_if_idle(Held& held, const Times& times) {
    if (!held.is_open() || held.streams == nullptr || !held.streams->is_idle()) return false;
    held.close(CloseReason::no_error, times);
    return true;
}

bool QuicServer::make_room(const QuicService& service, const Times& times) {
    unsigned inspected = 0;
    for (Held* const held : idle_) {
        if (++inspected > kInspected) break;
        if (held->service().counts != service.counts || !close_if_idle(*held, times)) continue;
        count(QuicCount::made_room);
        settle(*held, times);
        return true;
    }
    return false;
}

// ---- memory

// Room for as many bytes more. A connection may be forgotten here.
bool QuicServer::make_memory(std::uint64_t bytes, const Times& times) {
    const ProcessMemory& all = memory_.process();
    if (all.excess(bytes) == 0) return true;
    if (times.now >= none_heavy_until_) close_heavy(all.excess(bytes), times);
    if (all.excess(bytes) > 0) close_idle(bytes, times);
    return all.excess(bytes) == 0;
}

// Some more than `bytes`, so the next ones need no search for a while.
void QuicServer::close_heavy(std::uint64_t bytes, const Times& times) {
    constexpr std::uint64_t kPart = 64;
    std::vector<HeavyConnection> heavy;
    for (const auto& [number, held] : connections_) {
        const std::size_t its = held->connection->account().bytes();
        if (held->is_open() && its > kLawfulBytes)
            heavy.push_back({number, stream::client_key(held->client), its - kLawfulBytes});
    }
    const std::uint64_t wanted = bytes + memory_.process().most() / kPart;
    for (const std::uint64_t number : worst_first(std::move(heavy), wanted))
        close_by_us(*connections_.at(number), QuicCount::over_process_memory, times);
    if (memory_.process().excess() > 0) none_heavy_until_ = times.now + kNoneHeavy;
}

// No query is lost.
void QuicServer::close_idle(std::uint64_t bytes, const Times& times) {
    unsigned inspected = 0;
    for (auto next = idle_.begin(); next != idle_.end() && ++inspected <= kInspected;) {
        Held& held = **next++;
        if (memory_.process().excess(bytes) == 0) return;
        if (!close_if_idle(held, times)) continue;
        count(QuicCount::made_room);
        settle(held, times);
    }
}

void QuicServer::close_by_us(Held& held, QuicCount why, const Times& times) {
    count(why);
    held.close(CloseReason::excessive_load, times);
    settle(held, times);
}

void QuicServer::expire(const Times& times) {
    now_ms_ = times.now / kMillisecond;
    (void)make_memory(0, times);
    while (!timers_.empty() && timers_.begin()->first <= times.now) {
        Held& held = *timers_.begin()->second;
        held.connection->expire(times.now);
        if (held.write_by != 0) write(held, times);
        settle(held, times);
        // A connection that has nothing new to wait for would stay in front.
        if (!timers_.empty() && timers_.begin()->second == &held &&
            timers_.begin()->first <= times.now)
            break;
    }
    if (times.now - kept_ >= kHouseEvery) keep_house(times);
}

Nanoseconds QuicServer::next_expiry() const {
    const Nanoseconds house = connections_.empty() ? kNever : kept_ + kHouseEvery;
    return timers_.empty() ? house : std::min(house, timers_.begin()->first);
}

void QuicServer::keep_house(const Times& times) {
    kept_ = times.now;
    const std::vector<Held*> all(idle_.begin(), idle_.end());
    for (Held* const held : all) {
        const auto since_ms = held->streams->incomplete_since_ms();
        if (since_ms && now_ms_ - *since_ms >= kQueryTime / kMillisecond) {
            count(QuicCount::too_slow);
            held->close(CloseReason::protocol_error, times);
            settle(*held, times);
        } else if (const unsigned late = held->streams->expire(now_ms_); late > 0) {
            counters_.add(QuicCount::unanswered, late);
            queue(*held);
        } else if (is_to_leave(*held) && close_if_idle(*held, times)) {
            settle(*held, times);
        }
    }
}

void QuicServer::close_all(const Times& times) {
    for (auto& [number, held] : connections_) {
        if (!held->is_open()) continue;
        held->close(CloseReason::no_error, times);
    }
}

}  // namespace steer::quic
