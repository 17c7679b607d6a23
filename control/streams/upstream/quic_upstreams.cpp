#include "control/streams/upstream/quic_upstreams.h"

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "control/streams/base/socket_address.h"
#include "control/streams/base/udp_options.h"
#include "control/streams/upstream/pending_asks.h"
#include "control/streams/upstream/upstream_reply.h"
#include "control/streams/upstream/upstream_socket.h"
#include "dataplane/dns/message_ttls.h"
#include "dataplane/dns/wire.h"
#include "matchers/host_text.h"
#include "matchers/octets.h"
#include "matchers/safe_text.h"

namespace steer::stream {
namespace {

constexpr unsigned kMostAsks = 100;  // at a time on one connection
static_assert(config::kMaxUpstreamPath <= quic::kMaxText);

// (ETIMEDOUT would mean a query's own time, and its worker would wait for more.)
int errno_of(quic::UpstreamEnd end) {
    switch (end) {
        case quic::UpstreamEnd::no_answer:
            return EHOSTDOWN;
        case quic::UpstreamEnd::refused:
            return ECONNREFUSED;
        case quic::UpstreamEnd::handshake:
            return EPROTO;
        case quic::UpstreamEnd::closed:
        case quic::UpstreamEnd::failed:
        case quic::UpstreamEnd::count_:
            break;
    }
    return ECONNRESET;
}

bool is_address(const std::string& host) {
    return IpAddress::parse(host).has_value();
}

quic::BoundAddress bound(const SocketAddress& where) {
    std::uint32_t scope = 0;
    if (where.family() == AF_INET6) {
        sockaddr_in6 v6;
        std::memcpy(&v6, &where.storage, sizeof v6);
        scope = v6.sin6_scope_id;
    }
    return {where.address(), where.port(), scope};
}

}  // namespace

// ---- one attempt

class QuicUpstreams::Attempt final : public ConnectAttempt,
                                     public std::enable_shared_from_this<Attempt> {
  public:
    Attempt(QuicUpstreams& all, Dial its, SessionWatcher& its_watcher,
            UpstreamTransport::Done its_done)
        : dial(std::move(its)), watcher(its_watcher), all_(all), done_(std::move(its_done)) {}

    void cancel() override {
        if (done_ == nullptr) return;
        done_ = nullptr;
        if (connection == 0) return;
        all_.order(connection, quic::UpstreamOrder::close);
        all_.attempts_.erase(connection);
    }
    [[nodiscard]] std::optional<IpAddress> local() override { return local_; }
    [[nodiscard]] std::string waits_for() const override {
        return connection == 0 ? "steerdns-quic does not run" : "";
    }
    [[nodiscard]] bool is_over() const { return done_ == nullptr; }

    // 0, or errno.
    int open(Descriptor& socket, quic::UpstreamOpening& opening);
    void end(Connected out) {
        if (done_ == nullptr) return;
        if (local_) out.local = *local_;
        const auto done = std::exchange(done_, nullptr);
        done(std::move(out));
    }
    [[nodiscard]] std::string doing() const {
        return "connecting to " + matchers::bracketed(dial.target->text_of(dial.path.address)) +
               ":" + std::to_string(dial.path.port) + " over QUIC failed: ";
    }

    const Dial dial;
    SessionWatcher& watcher;
    std::uint64_t connection = 0;  // of the process; 0: none yet

  private:
    QuicUpstreams& all_;
    UpstreamTransport::Done done_;
    std::optional<IpAddress> local_;
};

int QuicUpstreams::Attempt::open(Descriptor& made, quic::UpstreamOpening& opening) {
    const UpstreamTarget& target = *dial.target;
    const IpAddress& to = dial.path.address;
    const SocketAddress there(to, dial.path.port);
    made = Descriptor(::socket(there.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (made.get() < 0) return errno;
    if (const int error = prepare_socket(all_.context_, made.get(), to, target.mark, target.device);
        error != 0)
        return error;
    prepare_for_quic(made.get(), to.is_v4());
    if (::connect(made.get(), there.get(), there.length) != 0) return errno;
    SocketAddress here, remote;
    if (::getsockname(made.get(), here.get(), &here.length) != 0) return errno;
    if (::getpeername(made.get(), remote.get(), &remote.length) != 0) return errno;
    local_ = here.address();
    opening.tickets = dial.tickets;
    opening.local = bound(here);
    opening.remote = bound(remote);
    opening.idle_ms = target.idle_timeout_ms;
    opening.keeps_alive = target.min_conns > 0;
    opening.early_data = target.early_data;
    opening.may_refuse = !may_be_forged(to);
    if (!is_address(target.host)) opening.server_name = target.host;
    if (target.scheme == UpstreamScheme::h3) {
        opening.protocol = quic::UpstreamProtocol::doh3;
        opening.http = {target.authority(), target.path};
    }
    return 0;
}

// ---- one connection

class QuicUpstreams::Session final : public UpstreamSession,
                                     public std::enable_shared_from_this<Session> {
  public:
    Session(QuicUpstreams& all, std::uint64_t connection, std::uint64_t streams,
            SessionWatcher& watcher)
        : all_(all), connection_(connection), streams_(streams), watcher_(watcher) {}
    ~Session() override { close(); }

    void ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms, Done done) override;
    [[nodiscard]] unsigned room() const override {
        if (is_ended_ || streams_ <= asked_ || in_progress() >= kMostAsks) return 0;
        const std::uint64_t left = streams_ - asked_;
        return static_cast<unsigned>(std::min<std::uint64_t>(left, kMostAsks - in_progress()));
    }
    [[nodiscard]] unsigned in_progress() const override {
        return static_cast<unsigned>(pending_.size());
    }
    [[nodiscard]] bool is_leaving() const override { return is_ended_ || is_away_; }
    [[nodiscard]] std::uint64_t silent_since_ms() const override { return silent_since_ms_; }
    void expire(std::uint64_t now_ms) override;
    void close() override;

    void take_reply(const quic::ReplyView& reply);
    // Fewer than before after GOAWAY: then no more than were asked.
    void take_streams(std::uint64_t streams) {
        is_away_ = is_away_ || streams < streams_;
        streams_ = streams;
    }
    void report_room() {
        if (!is_ended_) watcher_.on_room(*this);
    }
    // It has ended there.
    void end(const std::string& why);

  private:
    QuicUpstreams& all_;
    const std::uint64_t connection_;
    std::uint64_t streams_;  // asks that are possible in all
    std::uint64_t asked_ = 0;
    std::uint32_t last_ask_ = 0;
    SessionWatcher& watcher_;
    PendingAsks pending_;
    std::uint64_t silent_since_ms_ = UINT64_MAX;
    bool is_ended_ = false;
    bool is_away_ = false;  // the upstream takes no further asks
};

// The id on the wire is 0 (RFC 9250 4.2.1).
void QuicUpstreams::Session::ask(std::span<const std::uint8_t> query, std::uint64_t deadline_ms,
                                 Done done) {
    do {
        ++last_ask_;
    } while (pending_.contains(last_ask_));
    ++asked_;
    const auto at =
        pending_.emplace(last_ask_, PendingAsk(query, 0, deadline_ms, std::move(done))).first;
    if (silent_since_ms_ == UINT64_MAX) silent_since_ms_ = all_.context_.now_ms();
    quic::AskRecord record{};
    record.connection = connection_;
    record.ask = last_ask_;
    all_.ask(record, at->second.query);
}

void QuicUpstreams::Session::take_reply(const quic::ReplyView& reply) {
    const auto at = pending_.find(static_cast<std::uint32_t>(reply.record.ask));
    if (at == pending_.end() || reply.record.ask > UINT32_MAX) return;
    const auto self = shared_from_this();
    PendingAsk asked = std::move(at->second);
    pending_.erase(at);
    const auto end = static_cast<quic::AskEnd>(reply.record.end);
    if (pending_.empty()) {
        silent_since_ms_ = UINT64_MAX;
    } else if (end != quic::AskEnd::lost && end != quic::AskEnd::unprocessed) {
        silent_since_ms_ = all_.context_.now_ms();
    }
    const auto bytes = octets_of(reply.message);
    switch (end) {
        case quic::AskEnd::answered: {
            std::vector<std::uint8_t> message(bytes.begin(), bytes.end());
            if (!is_reply_to(asked.query, message)) {
                all_.context_.count(StreamCount::upstream_unmatched);
                return asked.done({.error = EPROTO});
            }
            dns::lower_message_ttls(message, reply.record.age_s, reply.record.fresh_s);
            dns::store_be16(message.data(), asked.id);
            return asked.done({.message = message});
        }
        case quic::AskEnd::lost:
            return asked.done({.error = ECONNRESET, .retry = Retry::lost});
        case quic::AskEnd::unprocessed:
            return asked.done({.error = ECONNRESET, .retry = Retry::unprocessed});
        case quic::AskEnd::failed:
            return asked.done({.error = ECONNRESET});
        case quic::AskEnd::bad:
        case quic::AskEnd::count_:
            break;
    }
    asked.done({.error = EPROTO, .retry_after_s = reply.record.retry_after_s});
}

void QuicUpstreams::Session::expire(std::uint64_t now_ms) {
    const auto late = take_late(pending_, now_ms, [this](std::uint32_t ask) {
        all_.order(connection_, quic::UpstreamOrder::cancel, ask);
    });
    if (late.empty()) return;
    const auto self = shared_from_this();
    for (const Done& done : late)
        done({.error = ETIMEDOUT});
    report_room();
}

void QuicUpstreams::Session::end(const std::string& why) {
    if (std::exchange(is_ended_, true)) return;
    const auto self = shared_from_this();
    silent_since_ms_ = UINT64_MAX;
    end_asks(std::exchange(pending_, {}), 0);
    watcher_.on_ended(*this, why);
}

void QuicUpstreams::Session::close() {
    if (std::exchange(is_ended_, true)) return;
    silent_since_ms_ = UINT64_MAX;
    all_.sessions_.erase(connection_);
    all_.order(connection_, quic::UpstreamOrder::close);
    end_asks_later(all_.context_.io, std::exchange(pending_, {}), 0);
}

// ---- all of a thread

QuicUpstreams::QuicUpstreams(StreamContext& context) : context_(context) {}

QuicUpstreams::~QuicUpstreams() {
    *is_alive_ = false;
}

std::uint64_t QuicUpstreams::number_settings() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
}

std::shared_ptr<ConnectAttempt> QuicUpstreams::connect(Dial dial, SessionWatcher& watcher,
                                                       UpstreamTransport::Done done) {
    const auto attempt =
        std::make_shared<Attempt>(*this, std::move(dial), watcher, std::move(done));
    std::erase_if(waiting_, [](const auto& one) { return one.expired(); });
    if (port_ == nullptr) {
        waiting_.push_back(attempt);
    } else {
        begin(attempt);
    }
    return attempt;
}

void QuicUpstreams::begin(const std::shared_ptr<Attempt>& attempt) {
    Descriptor socket;
    quic::UpstreamOpening opening;
    opening.connection = ++last_connection_;
    if (const int error = attempt->open(socket, opening); error != 0) {
        boost::asio::post(context_.io, [attempt, error] {
            attempt->end({.error = error, .why = attempt->doing() + std::strerror(error)});
        });
        return;
    }
    attempt->connection = opening.connection;
    attempts_.emplace(opening.connection, attempt);
    flush();
    port_->pass(quic::encode(opening), std::move(socket));
}

void QuicUpstreams::use(QuicProcessPort* port) {
    port_ = port;
    asks_.clear();
    orders_.clear();
    for (const auto& [connection, attempt] : std::exchange(attempts_, {})) {
        attempt->connection = 0;
        waiting_.push_back(attempt);
    }
    for (const auto& [connection, weak] : std::exchange(sessions_, {})) {
        if (const auto session = weak.lock()) session->end("steerdns-quic has ended");
    }
    if (port_ == nullptr) return;
    for (const auto& weak : std::exchange(waiting_, {})) {
        if (const auto attempt = weak.lock(); attempt != nullptr && !attempt->is_over())
            begin(attempt);
    }
}

// ---- from the process

bool QuicUpstreams::take(const quic::ChannelMessage& message) {
    if (const auto* const replies = std::get_if<std::vector<quic::ReplyView>>(&message)) {
        take_replies(*replies);
    } else if (const auto* const ready = std::get_if<quic::UpstreamReady>(&message)) {
        take_ready(*ready);
    } else if (const auto* const all = std::get_if<std::vector<quic::StreamsRecord>>(&message)) {
        take_streams(*all);
    } else if (const auto* const ended = std::get_if<quic::UpstreamEnded>(&message)) {
        take_end(*ended);
    } else {
        return false;
    }
    return true;
}

std::shared_ptr<QuicUpstreams::Attempt> QuicUpstreams::take_attempt(std::uint64_t connection) {
    const auto at = attempts_.find(connection);
    if (at == attempts_.end()) return nullptr;
    auto attempt = std::move(at->second);
    attempts_.erase(at);
    return attempt;
}

std::shared_ptr<QuicUpstreams::Session> QuicUpstreams::session_of(std::uint64_t connection) {
    const auto at = sessions_.find(connection);
    return at == sessions_.end() ? nullptr : at->second.lock();
}

// A resumed session was accepted when it began, as with TLS over TCP.
void QuicUpstreams::take_ready(const quic::UpstreamReady& ready) {
    const auto attempt = take_attempt(ready.connection);
    if (attempt == nullptr) return;
    Connected out;
    if (!ready.is_resumed) {
        auto judged = attempt->dial.tls->judge(ready.chain, "`ca`");
        if (!judged) {
            order(ready.connection, quic::UpstreamOrder::close);
            return attempt->end({.error = EKEYREJECTED, .why = judged.error().text});
        }
        out.certificate = *std::move(judged);
        order(ready.connection, quic::UpstreamOrder::accept);
    }
    const auto session =
        std::make_shared<Session>(*this, ready.connection, ready.streams, attempt->watcher);
    sessions_[ready.connection] = session;
    out.session = session;
    attempt->end(std::move(out));
}

void QuicUpstreams::take_replies(const std::vector<quic::ReplyView>& replies) {
    std::set<std::uint64_t> with_room;
    for (const quic::ReplyView& one : replies) {
        if (const auto session = session_of(one.record.connection)) {
            session->take_reply(one);
            with_room.insert(one.record.connection);
        }
    }
    for (const std::uint64_t connection : with_room) {
        if (const auto session = session_of(connection)) session->report_room();
    }
}

void QuicUpstreams::take_streams(const std::vector<quic::StreamsRecord>& streams) {
    for (const quic::StreamsRecord& one : streams) {
        const auto session = session_of(one.connection);
        if (session == nullptr) continue;
        session->take_streams(one.streams);
        session->report_room();
    }
}

void QuicUpstreams::take_end(const quic::UpstreamEnded& ended) {
    const std::string why = safe_text(ended.why);
    if (const auto attempt = take_attempt(ended.connection)) {
        const int error = errno_of(ended.end);
        const bool is_named = !why.empty() && why != std::strerror(error);
        return attempt->end(
            {.error = error, .why = attempt->doing() + (is_named ? why : std::strerror(error))});
    }
    if (const auto session = session_of(ended.connection)) {
        sessions_.erase(ended.connection);
        session->end(why);
    }
}

// ---- to the process

void QuicUpstreams::ask(const quic::AskRecord& record, std::span<const std::uint8_t> message) {
    if (!orders_.empty() || !asks_.fits<quic::AskRecord>(message.size())) flush();
    quic::AskRecord whole = record;
    whole.message_bytes = static_cast<std::uint32_t>(message.size());
    asks_.add(whole, {chars_of(message)});
    flush_later();
}

void QuicUpstreams::order(std::uint64_t connection, quic::UpstreamOrder what, std::uint64_t ask) {
    if (!asks_.empty() || !orders_.fits<quic::OrderRecord>(0)) flush();
    quic::OrderRecord record{};
    record.connection = connection;
    record.ask = ask;
    record.order = static_cast<std::uint8_t>(what);
    orders_.add(record);
    flush_later();
}

// What one turn of the io_context gathers leaves in one message.
void QuicUpstreams::flush_later() {
    if (std::exchange(is_to_flush_, true)) return;
    boost::asio::post(context_.io, [this, is_alive = is_alive_] {
        if (!*is_alive) return;
        is_to_flush_ = false;
        flush();
    });
}

void QuicUpstreams::flush() {
    for (quic::RecordBatch* const batch : {&asks_, &orders_}) {
        if (batch->empty()) continue;
        if (port_ != nullptr) port_->pass(std::string(batch->message()), Descriptor());
        batch->clear();
    }
}

}  // namespace steer::stream
