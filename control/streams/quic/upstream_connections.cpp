#include "control/streams/quic/upstream_connections.h"

#include <algorithm>
#include <array>
#include <utility>

#include "control/streams/quic/doq_client.h"
#include "control/streams/quic/doq_message.h"
#include "control/streams/quic/http3_client.h"
#include "control/streams/quic/memory.h"

namespace steer::quic {
namespace {

// Longer than the daemon keeps an idle connection: it closes them itself.
constexpr Nanoseconds kMoreIdle = 5 * kSecond;
// Of all streams together, so that one upstream cannot fill the memory.
constexpr std::uint64_t kWindow = 16 * kMaxDoqStream;
constexpr std::size_t kMostTicketBytes = 16 << 10;
constexpr std::size_t kMostTokenBytes = 512;

struct ProtocolFacts {
    const char* alpn;
    std::uint64_t no_error, internal_error;  // with which a connection is closed
    std::uint64_t stream_bytes, uni_streams, uni_bytes;
};
constexpr std::array kProtocols{
    ProtocolFacts{"doq", code_of(DoqError::no_error), code_of(DoqError::internal_error),
                  kMaxDoqStream, 0, 0},
    ProtocolFacts{"h3", code_of(Http3Error::no_error), code_of(Http3Error::internal_error),
                  Http3Client::kStreamBytes, Http3::kUniStreams, Http3Client::kStreamBytes},
};
static_assert(kProtocols.size() == static_cast<std::size_t>(UpstreamProtocol::count_));

const ProtocolFacts& facts_of(UpstreamProtocol protocol) {
    return kProtocols[static_cast<std::size_t>(protocol)];
}

bool has_place(const std::vector<std::string>& chain) {
    std::size_t bytes = 0;
    for (const std::string& one : chain)
        bytes += one.size();
    return chain.size() <= kMostCertificates && bytes <= kMostChainBytes;
}

}  // namespace

class UpstreamConnections::Held final : public ClientControl, public ReplyTaker {
  public:
    Held(UpstreamConnections& all, UpstreamOpening its, const QuicPath& its_path)
        : opening(std::move(its)), path(its_path), all_(all) {}

    // ClientControl
    void consumed(std::uint64_t bytes) override { connection->consumed(bytes); }
    void consumed_of(StreamId stream, std::uint64_t bytes) override {
        connection->consumed_of(stream, bytes);
    }
    void stop_reading(StreamId stream, std::uint64_t code) override {
        connection->stop_reading(stream, code);
    }
    std::optional<StreamId> open_uni_stream() override { return connection->open_uni_stream(); }
    Account& account() override { return connection->account(); }
    void reset(StreamId stream, std::uint64_t code) override { connection->reset(stream, code); }
    std::optional<StreamId> open_stream() override { return connection->open_stream(); }
    // ReplyTaker
    void take_reply(std::uint64_t ask, AskEnd end, std::span<const std::uint8_t> message,
                    const AnswerFacts& facts) override {
        if (is_reported) return;
        if (end == AskEnd::unprocessed && is_early) takes_early = false;
        all_.count(end == AskEnd::answered ? QuicCount::upstream_answers
                                           : QuicCount::upstream_unanswered);
        all_.owner_.take_reply(number(), ask, end, message, facts);
    }

    void takes_no_more() override {
        if (!is_reported) all_.owner_.take_streams(number(), streams());
    }

    [[nodiscard]] std::uint64_t number() const { return opening.connection; }
    [[nodiscard]] const ProtocolFacts& protocol() const { return facts_of(opening.protocol); }
    // Queries that may be asked in all.
    [[nodiscard]] std::uint64_t streams() const {
        return client->asked() + (client->takes_asks() ? connection->streams_left() : 0);
    }

    const UpstreamOpening opening;
    const QuicPath path;
    std::unique_ptr<Connection> connection;
    QueryClient* client = nullptr;  // of the connection; nullptr: its handshake goes on
    std::vector<Ticket> tickets;    // until it is accepted
    std::vector<std::uint8_t> token;
    std::string why;  // of its end, if the connection does not know it
    Nanoseconds timer = kNever;
    bool is_accepted = false;
    bool is_early = false;    // it is used, and its handshake goes on
    bool takes_early = true;  // so far
    bool refused_early = false;
    bool is_reported = false;  // its end is known to the daemon
    bool is_ending = false;    // in ending_
    bool is_to_flush = false;
    bool has_new_streams = false;

  private:
    UpstreamConnections& all_;
};

UpstreamConnections::UpstreamConnections(Owner& owner, QuicCounters& counters, Random random,
                                         ThreadMemory& memory)
    : owner_(owner), counters_(counters), random_(std::move(random)), memory_(memory) {}

UpstreamConnections::~UpstreamConnections() {
    memory_.give(kept_bytes_);
}

// ---- what connections need

// Each connection has its own socket, so ids are only random. Resets are not sent.
Connection::Host::NewId UpstreamConnections::new_id() {
    NewId made;
    made.id.length = ConnectionId::kOwn;
    random_(std::span(made.id.bytes).first(ConnectionId::kOwn));
    random_(made.reset_token);
    return made;
}

void UpstreamConnections::send(const QuicPath& path, unsigned ecn,
                               std::span<const std::uint8_t> bytes, std::size_t each) {
    counters_.add(QuicCount::datagrams_sent, (bytes.size() + each - 1) / each);
    owner_.send(sending_, path, ecn, bytes, each);
}

UpstreamConnections::Held* UpstreamConnections::find(std::uint64_t connection) {
    const auto at = connections_.find(connection);
    return at == connections_.end() || at->second->is_reported ? nullptr : at->second.get();
}

UpstreamConnections::Held& UpstreamConnections::held_of(const Connection& connection) {
    return *connections_.at(connection.number());
}

std::unique_ptr<QueryClient> UpstreamConnections::client_of(Held& held) {
    switch (held.opening.protocol) {
        case UpstreamProtocol::doq:
            return std::make_unique<DoqClient>(held, held);
        case UpstreamProtocol::doh3:
            return Http3Client::make(held, held, held.opening.http);
        case UpstreamProtocol::count_:
            break;
    }
    std::abort();
}

std::unique_ptr<Application> UpstreamConnections::opened(Connection& connection,
                                                         std::uint64_t& refusal) {
    Held& held = held_of(connection);
    auto client = client_of(held);
    refusal = held.protocol().internal_error;
    if (client == nullptr) {
        held.why = "it does not let us open the three streams that HTTP/3 needs";
        return nullptr;
    }
    held.client = client.get();
    held.is_early = !connection.is_handshake_complete();
    UpstreamReady ready{.connection = held.number(), .streams = held.streams(), .chain = {}};
    ready.is_resumed = held.is_early || is_resumed(connection.session());
    held.is_accepted = ready.is_resumed && !held.is_early;
    if (!ready.is_resumed) ready.chain = peer_chain(connection.session());
    if (!has_place(ready.chain)) {
        held.why = "its certificates are longer than " + std::to_string(kMostChainBytes) + " bytes";
        held.client = nullptr;
        return nullptr;
    }
    if (held.is_early) {
        count(QuicCount::upstreams_early);
    } else {
        count(ready.is_resumed ? QuicCount::upstreams_resumed : QuicCount::upstreams_connected);
        note_reached(held);
    }
    owner_.take_ready(ready);
    return client;
}

// A server that accepts early data resumes the session, so it needs no judgement. One that does not
// may have shown a new certificate: a new connection is judged.
bool UpstreamConnections::confirmed(Connection& connection, bool is_early_accepted,
                                    std::uint64_t& refusal) {
    Held& held = held_of(connection);
    held.is_early = false;
    note_reached(held);
    if (is_early_accepted && is_resumed(connection.session())) {
        count(QuicCount::upstreams_resumed);
        held.is_accepted = true;
        keep(held);
        return true;
    }
    held.tickets.clear();
    held.token.clear();
    count(QuicCount::upstreams_early_refused);
    kept_for(held.opening.tickets).early_from = now_ + kNoEarlyTime;
    held.refused_early = true;
    held.why = "it does not accept early data";
    refusal = held.protocol().no_error;
    return false;
}

void UpstreamConnections::note_reached(const Held& held) {
    kept_for(held.opening.tickets).reached = held.path.remote;
}

void UpstreamConnections::note_failed(const Held& held) {
    if (Kept* const kept = find_kept(held)) kept->reached.reset();
}

void UpstreamConnections::streams_allowed(Connection& connection) {
    Held& held = held_of(connection);
    held.has_new_streams = true;
    queue(held);
}

// ---- tickets

void UpstreamConnections::take_ticket(Connection& connection, std::vector<std::uint8_t>&& ticket) {
    Held& held = held_of(connection);
    if (ticket.empty() || ticket.size() > kMostTicketBytes || held.tickets.size() >= kMostTickets)
        return;
    held.tickets.push_back({std::move(ticket), held.opening.early_data
                                                   ? connection.server_parameters()
                                                   : std::vector<std::uint8_t>{}});
    if (held.is_accepted) keep(held);
}

void UpstreamConnections::take_token(Connection& connection, std::vector<std::uint8_t>&& token) {
    Held& held = held_of(connection);
    if (token.size() > kMostTokenBytes) return;
    held.token = std::move(token);
    if (held.is_accepted) keep(held);
}

UpstreamConnections::Kept* UpstreamConnections::find_kept(const Held& held) {
    const auto kept = std::ranges::find(kept_, held.opening.tickets, &Kept::settings);
    return kept == kept_.end() ? nullptr : &*kept;
}

UpstreamConnections::Kept& UpstreamConnections::kept_for(std::uint64_t settings) {
    const auto known = std::ranges::find(kept_, settings, &Kept::settings);
    if (known != kept_.end()) {
        kept_.splice(kept_.begin(), kept_, known);
    } else {
        kept_.push_front(Kept{.settings = settings});
        if (kept_.size() > kMostSettings) kept_.pop_back();
    }
    return kept_.front();
}

void UpstreamConnections::keep(Held& held) {
    if (held.tickets.empty() && held.token.empty()) return;
    Kept& kept = kept_for(held.opening.tickets);
    for (auto& ticket : std::exchange(held.tickets, {}))
        kept.tickets.push_back(std::move(ticket));
    while (kept.tickets.size() > kMostTickets)
        kept.tickets.pop_front();
    if (!held.token.empty()) {
        kept.token = std::exchange(held.token, {});
        kept.of = held.path.remote;
    }
    count_kept();
}

// What is kept stays when its connections end, so it counts for the thread.
void UpstreamConnections::count_kept() {
    std::uint64_t bytes = 0;
    for (const Kept& kept : kept_) {
        bytes += heap_bytes(sizeof(Kept) + 2 * sizeof(void*)) + heap_bytes(kept.token.capacity());
        for (const Ticket& ticket : kept.tickets) {
            bytes += heap_bytes(sizeof(Ticket) + 2 * sizeof(void*)) +
                     heap_bytes(ticket.bytes.capacity()) + heap_bytes(ticket.parameters.capacity());
        }
    }
    memory_.add(bytes);
    memory_.give(std::exchange(kept_bytes_, bytes));
}

// ---- the daemon's

void UpstreamConnections::open(const UpstreamOpening& opening, const QuicPath& path,
                               Nanoseconds now) {
    if (connections_.contains(opening.connection)) return;
    if (connections_.size() >= kMostConnections) {
        owner_.take_end(opening.connection, UpstreamEnd::failed,
                        "steerdns-quic has too many connections to upstreams");
        return owner_.forget(opening.connection);
    }
    Held& held =
        *connections_.emplace(opening.connection, std::make_unique<Held>(*this, opening, path))
             .first->second;
    count(QuicCount::upstreams_begun);
    begin(held, now);
    if (held.connection != nullptr) return queue(held);
    report_end(held, UpstreamEnd::failed, "no memory for QUIC");
    forget(held);
}

// A ticket and a token are used once (RFC 8446 C.4, RFC 9000 8.1.3).
void UpstreamConnections::begin(Held& held, Nanoseconds now) {
    if (tls_ == nullptr) {
        auto made = ClientTls::make();
        if (!made) return;
        tls_ = *std::move(made);
    }
    const UpstreamOpening& its = held.opening;
    Ticket ticket;
    std::vector<std::uint8_t> token;
    bool is_early = false;
    if (Kept* const kept = find_kept(held)) {
        if (!kept->tickets.empty()) {
            ticket = std::move(kept->tickets.back());
            kept->tickets.pop_back();
        }
        if (kept->of == held.path.remote) token = std::exchange(kept->token, {});
        is_early = its.early_data && !ticket.bytes.empty() && kept->reached == held.path.remote &&
                   now >= kept->early_from;
    }
    Connection::Dial dial;
    const ProtocolFacts& protocol = held.protocol();
    dial.session = {its.server_name, protocol.alpn, ticket.bytes, is_early};
    if (is_early) dial.parameters = ticket.parameters;
    dial.token = token;
    const Nanoseconds idle = its.idle_ms * kMillisecond + kMoreIdle;
    if (its.keeps_alive) dial.keep_alive = idle / 2;
    const TransportSettings transport{.idle_time = idle,
                                      .streams = 0,
                                      .stream_bytes = protocol.stream_bytes,
                                      .bytes = kWindow,
                                      .uni_streams = protocol.uni_streams,
                                      .uni_bytes = protocol.uni_bytes,
                                      .memory = kMostOfUpstream};
    sending_ = held.number();
    held.connection =
        Connection::connect(*this, held.number(), transport, tls_, dial, held.path, now);
    if (held.connection != nullptr && is_early) held.connection->begin_early();
}

void UpstreamConnections::accept(std::uint64_t connection) {
    Held* const held = find(connection);
    if (held == nullptr || held->client == nullptr) return;
    held->is_accepted = true;
    keep(*held);
}

void UpstreamConnections::close(std::uint64_t connection, Nanoseconds now) {
    Held* const held = find(connection);
    if (held == nullptr) return;
    held->is_reported = true;
    sending_ = connection;
    held->connection->close(held->protocol().no_error, now);
    queue(*held);
}

void UpstreamConnections::ask(std::uint64_t connection, std::uint64_t ask,
                              std::span<const std::uint8_t> message) {
    Held* const held = find(connection);
    if (held == nullptr) return;
    count(QuicCount::upstream_queries);
    const bool is_ready = held->is_accepted || (held->is_early && held->takes_early);
    if (held->client == nullptr || !is_ready ||
        held->connection->state() != Connection::State::open)
        return held->take_reply(ask, AskEnd::unprocessed, {}, {});
    held->client->ask(ask, message);
    queue(*held);
}

void UpstreamConnections::cancel(std::uint64_t connection, std::uint64_t ask, Nanoseconds now) {
    Held* const held = find(connection);
    if (held == nullptr || held->client == nullptr) return;
    held->client->cancel(ask);
    if (held->client->stale() > kMostStale) {
        held->why = "it does not end streams of queries that were cancelled";
        sending_ = connection;
        held->connection->close(held->protocol().no_error, now);
    }
    queue(*held);
}

// ---- datagrams

void UpstreamConnections::receive(std::uint64_t connection, std::span<const std::uint8_t> datagram,
                                  unsigned ecn, Nanoseconds now) {
    const auto at = connections_.find(connection);
    if (at == connections_.end()) return;
    count(QuicCount::datagrams_received);
    Held& held = *at->second;
    sending_ = connection;
    now_ = now;
    held.connection->receive(datagram, ecn, held.path, now);
    queue(held);
}

void UpstreamConnections::refused(std::uint64_t connection) {
    Held* const held = find(connection);
    if (held == nullptr || (held->client != nullptr && !held->is_early)) return;
    note_failed(*held);
    count(QuicCount::upstreams_failed);
    report_end(*held, UpstreamEnd::refused, "");
    forget(*held);
}

void UpstreamConnections::queue(Held& held) {
    if (!std::exchange(held.is_to_flush, true)) to_flush_.push_back(held.number());
}

void UpstreamConnections::write(Held& held, Nanoseconds now) {
    sending_ = held.number();
    // One for each turn, however often the upstream raises its limit.
    if (std::exchange(held.has_new_streams, false) && held.client != nullptr && !held.is_reported)
        owner_.take_streams(held.number(), held.streams());
    held.connection->write(now);
    settle(held);
}

void UpstreamConnections::flush(Nanoseconds now) {
    while (!to_flush_.empty()) {
        const auto at = connections_.find(to_flush_.back());
        to_flush_.pop_back();
        if (at == connections_.end()) continue;
        at->second->is_to_flush = false;
        write(*at->second, now);
    }
}

// ---- times and the end

// After any call of a connection: its new time, or its end.
void UpstreamConnections::settle(Held& held) {
    Connection& connection = *held.connection;
    const auto state = connection.state();
    if (state != Connection::State::open && !held.is_reported) {
        // An early one that fails is closed for the daemon, so that its asks are repeated.
        const bool was_open = held.client != nullptr;
        const bool has_failed = !was_open || held.is_early;
        if (has_failed) note_failed(held);
        count(has_failed ? QuicCount::upstreams_failed : QuicCount::upstreams_closed);
        const bool is_late =
            connection.why() == Connection::Why::idle || connection.reason() == kNoAnswer;
        UpstreamEnd end = UpstreamEnd::closed;
        if (!was_open) end = is_late ? UpstreamEnd::no_answer : UpstreamEnd::handshake;
        report_end(held, end, held.why.empty() ? connection.reason() : held.why);
    }
    if (state == Connection::State::over || state == Connection::State::retry) return forget(held);
    if (state == Connection::State::ending && !std::exchange(held.is_ending, true)) {
        held.client = nullptr;
        connection.shrink();
        ending_.push_back(held.number());
        if (ending_.size() > kMostEnding) {
            const std::uint64_t oldest = ending_.front();
            forget(*connections_.at(oldest));
            if (oldest == held.number()) return;
        }
    }
    set_timer(held, connection.next_expiry());
}

void UpstreamConnections::report_end(Held& held, UpstreamEnd end, const std::string& why) {
    if (held.client != nullptr) held.client->end(held.refused_early);
    held.is_reported = true;
    owner_.take_end(held.number(), end, why);
}

void UpstreamConnections::set_timer(Held& held, Nanoseconds next) {
    if (held.timer == next) return;
    timers_.erase({held.timer, held.number()});
    held.timer = next;
    timers_.emplace(next, held.number());
}

void UpstreamConnections::forget(Held& held) {
    const std::uint64_t number = held.number();
    timers_.erase({held.timer, number});
    if (held.is_ending) ending_.remove(number);
    held.is_reported = true;  // what ends with it is known
    connections_.erase(number);
    owner_.forget(number);
}

void UpstreamConnections::expire(Nanoseconds now) {
    while (!timers_.empty() && timers_.begin()->first <= now) {
        const std::uint64_t number = timers_.begin()->second;
        Held& held = *connections_.at(number);
        sending_ = number;
        held.connection->expire(now);
        settle(held);
        // A connection that has nothing new to wait for would stay in front.
        if (!timers_.empty() && timers_.begin()->second == number && timers_.begin()->first <= now)
            break;
    }
}

Nanoseconds UpstreamConnections::next_expiry() const {
    return timers_.empty() ? kNever : timers_.begin()->first;
}

void UpstreamConnections::close_all(Nanoseconds now) {
    for (auto& [number, held] : connections_) {
        sending_ = number;
        held->connection->close(held->protocol().no_error, now);
    }
}

}  // namespace steer::quic
