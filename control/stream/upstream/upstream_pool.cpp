#include "control/stream/upstream/upstream_pool.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "control/stream/base/socket_address.h"
#include "control/stream/tls/tls_certificate.h"
#include "control/stream/upstream/dns_session.h"
#include "control/stream/upstream/http_upstream.h"

namespace steer::stream {
namespace {

constexpr unsigned kMostAsked = 2;        // times, of one query
constexpr std::size_t kLateAttempts = 4;  // at most, beside max_conns
constexpr std::uint64_t kKeepAgainMs = 10'000;

IpAddress address_of(boost::asio::ip::tcp::socket& socket) {
    SocketAddress here;
    if (::getsockname(socket.native_handle(), here.get(), &here.length) != 0) return {};
    return here.address();
}

bool is_multiplexed(const UpstreamTarget& target) {
    return target.pipeline || target.scheme == UpstreamScheme::https;
}

}  // namespace

UpstreamPool::UpstreamPool(StreamContext& context, std::shared_ptr<const UpstreamTarget> target,
                           std::shared_ptr<UpstreamState> state)
    : context_(context), target_(std::move(target)), state_(std::move(state)) {}

UpstreamPool::~UpstreamPool() {
    close();
}

// ---- queries

void UpstreamPool::ask(UpstreamAsk ask) {
    context_.count(StreamCount::upstream_channel);
    if (waiting_.size() >= kMostWaiting) return hand_back(context_, ask, nullptr, EBUSY);
    if (open_.empty() && is_distrusted()) return hand_back(context_, ask, nullptr, EKEYREJECTED);
    const auto query = std::make_shared<Query>();
    query->deadline_ms = context_.now_ms() + ask.timeout_ms;
    query->ask = std::move(ask);
    queries_.insert(query);
    waiting_.push_back(query);
    serve();
}

void UpstreamPool::serve() {
    if (closed_) return;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        const QueryPtr query = *at;
        Open* const open = query->over ? nullptr : find_room(*query);
        if (open == nullptr && !query->over) {
            if (query->newer_than == 0) break;  // then there is room for nobody
            ++at;
            continue;
        }
        at = waiting_.erase(at);
        if (open != nullptr) send(query, *open);
    }
    if (!waiting_.empty()) connect_more(is_multiplexed(*target_) ? 1 : waiting_.size());
}

UpstreamPool::Open* UpstreamPool::find_room(const Query& query) {
    const std::uint64_t now = context_.now_ms();
    for (Open& open : open_) {
        if (open.number > query.newer_than && open.session->room() > 0 && !is_suspect(open, now))
            return &open;
    }
    return nullptr;
}

void UpstreamPool::send(const QueryPtr& query, Open& open) {
    if (++query->asked > 1) context_.count(StreamCount::upstream_again);
    ++query->on_wire;
    query->number = open.number;
    open.used_ms = context_.now_ms();
    open.session->ask(query->ask.query, query->deadline_ms,
                      [self = shared_from_this(), query](const SessionReply& reply) {
                          self->on_reply(query, reply);
                      });
}

void UpstreamPool::on_reply(const QueryPtr& query, const SessionReply& reply) {
    --query->on_wire;
    if (query->over || closed_) return;
    if (reply.message.empty()) {
        if (reply.error == EPROTO && !std::exchange(answers_badly_, true))
            state_->fails("it is connected, but answers with an HTTP error or with no DNS");
        const bool waits = query->newer_than != 0 && query->asked < kMostAsked;
        if (reply.again && query->asked < kMostAsked && !waits) return ask_again(query);
        if (query->on_wire == 0 && !waits) end(query, reply.error);
        return;
    }
    Buffer* const buffer = context_.buffers.take(static_cast<std::uint32_t>(reply.message.size()));
    if (buffer == nullptr) {
        context_.count(StreamCount::upstream_no_buffer);
        return end(query, ENOBUFS);
    }
    std::copy(reply.message.begin(), reply.message.end(), buffer->data());
    buffer->length = static_cast<std::uint32_t>(reply.message.size());
    query->over = true;
    hand_back(context_, query->ask, buffer, 0);
    queries_.erase(query);
    if (std::exchange(answers_badly_, false)) state_->works(near_->addresses().front());
}

// On a connection that is newer than all there are.
void UpstreamPool::ask_again(const QueryPtr& query) {
    query->newer_than = last_number_;
    waiting_.push_front(query);
    connect_more(1);
}

// Of a timeout its worker knows.
void UpstreamPool::end(const QueryPtr& query, int error) {
    query->over = true;
    if (error != ETIMEDOUT) hand_back(context_, query->ask, nullptr, error);
    queries_.erase(query);
}

void UpstreamPool::forget_waiting(std::uint64_t now_ms) {
    std::erase_if(waiting_, [&](const QueryPtr& query) {
        if (query->deadline_ms > now_ms && !query->over) return false;
        if (!query->over) end(query, ETIMEDOUT);
        return true;
    });
}

void UpstreamPool::fail_waiting(int error) {
    for (const QueryPtr& query : std::exchange(waiting_, {})) {
        query->asked = kMostAsked;  // if a connection still has it, that is its last word
        if (!query->over && query->on_wire == 0) end(query, error);
    }
}

// ---- connections

std::size_t UpstreamPool::usable(std::uint64_t now_ms) const {
    return static_cast<std::size_t>(std::count_if(
        open_.begin(), open_.end(), [&](const Open& open) { return !is_suspect(open, now_ms); }));
}

std::size_t UpstreamPool::fresh_attempts(std::uint64_t now_ms) const {
    return static_cast<std::size_t>(std::count_if(
        attempts_.begin(), attempts_.end(),
        [&](const Attempt& attempt) { return now_ms - attempt.connect->started_ms() < kFreshMs; }));
}

bool UpstreamPool::is_distrusted() const {
    return context_.now_ms() < distrust_until_ms_;
}

void UpstreamPool::distrust() {
    distrust_ms_ = std::clamp(distrust_ms_ * 2, kDistrustFirstMs, kDistrustLastMs);
    distrust_until_ms_ = context_.now_ms() + distrust_ms_;
}

void UpstreamPool::connect_more(std::size_t wanted) {
    if (is_distrusted()) return;
    const std::uint64_t now = context_.now_ms();
    const std::size_t there = usable(now);
    for (std::size_t fresh = fresh_attempts(now); fresh < wanted; ++fresh) {
        if (there + fresh >= target_->max_conns ||
            attempts_.size() >= target_->max_conns + kLateAttempts || !connect())
            return;
    }
}

void UpstreamPool::make_names() {
    const auto on_end = [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->on_name();
    };
    const std::string upstream = target_->address ? target_->address->to_string() : target_->host;
    const UpstreamName::Question question{upstream, target_->bootstrap, target_->family,
                                          target_->mark, target_->device};
    if (!target_->proxy) {
        near_ = std::make_shared<UpstreamName>(context_, question, on_end);
        return;
    }
    UpstreamName::Question proxy = question;
    proxy.name = target_->proxy->host;
    proxy.family = AddressFamily::any;
    near_ = std::make_shared<UpstreamName>(context_, proxy, on_end);
    if (target_->address || target_->bootstrap)
        behind_ = std::make_shared<UpstreamName>(context_, question, on_end);
}

bool UpstreamPool::make_tls() {
    if (target_->scheme == UpstreamScheme::tcp || tls_ != nullptr) return true;
    const bool is_http = target_->scheme == UpstreamScheme::https;
    auto made = TlsClient::make(
        target_->host,
        is_http ? std::vector<std::string>{"h2", "http/1.1"} : std::vector<std::string>{"dot"},
        target_->trust);
    if (!made) {
        on_failure(EINVAL, made.error().text);
        return false;
    }
    tls_ = std::move(*made);
    return true;
}

bool UpstreamPool::connect() {
    if (near_ == nullptr) make_names();
    bool looking = near_->need();
    if (behind_ != nullptr && behind_->need()) looking = true;
    if (near_->addresses().empty() || (behind_ != nullptr && behind_->addresses().empty())) {
        if (!looking) on_name();
        return false;
    }
    if (!make_tls()) return false;
    ConnectPath path{near_->addresses().front(),
                     target_->proxy ? target_->proxy->port : target_->port, std::nullopt};
    if (behind_ != nullptr) path.behind = behind_->addresses().front();
    const auto attempt = std::make_shared<UpstreamConnect>(
        context_, target_, tls_, path,
        [weak = weak_from_this()](UpstreamConnect& done, Connected connected) {
            if (const auto self = weak.lock()) self->on_connected(done, std::move(connected));
        });
    attempts_.push_back({attempt});
    attempt->start();
    return true;
}

void UpstreamPool::on_name() {
    for (const UpstreamName* name : {near_.get(), behind_.get()}) {
        if (name != nullptr && name->addresses().empty() && !name->is_looking())
            return on_failure(EHOSTUNREACH, name->trouble());
    }
    serve();
}

void UpstreamPool::on_connected(UpstreamConnect& attempt, Connected connected) {
    const ConnectPath path = attempt.path();
    std::erase_if(attempts_, [&](const Attempt& a) { return a.connect.get() == &attempt; });
    if (closed_) return;
    if (!connected.stream) {
        context_.count(StreamCount::upstream_connects_failed);
        near_->fails(path.address);
        if (path.behind) behind_->fails(*path.behind);
        const bool others = ++failed_in_row_ < near_->addresses().size();
        const std::uint64_t now = context_.now_ms();
        if (others && !waiting_.empty()) return connect_more(1);
        if (connected.error == EKEYREJECTED) distrust();
        if (fresh_attempts(now) == 0 && usable(now) == 0)
            on_failure(connected.error, connected.why);
        return;
    }
    context_.count(StreamCount::upstream_connects);
    failed_in_row_ = 0;
    distrust_until_ms_ = distrust_ms_ = 0;
    near_->works(path.address);
    if (path.behind) behind_->works(*path.behind);
    state_->works(path.address);
    if (SSL* const ssl = connected.stream->ssl()) {
        const CertificateFacts shown = facts_of_peer(ssl);
        if (shown.ends_s != 0) state_->shows_certificate(shown.subject, shown.ends_s);
    }
    state_->add_connections(1);
    const IpAddress local = address_of(connected.stream->socket());
    const auto make =
        target_->scheme == UpstreamScheme::https ? make_http_session : make_dns_session;
    auto session = make(context_, std::move(*connected.stream), *target_, *this);
    open_.push_back({++last_number_, std::move(session), path, local, context_.now_ms()});
    serve();
}

void UpstreamPool::on_failure(int error, const std::string& why) {
    failed_in_row_ = 0;
    state_->fails(why);
    fail_waiting(error);
    keep_at_ms_ = context_.now_ms() + kKeepAgainMs;
}

void UpstreamPool::on_room(UpstreamSession& session) {
    for (Open& open : open_) {
        if (open.session.get() == &session) open.used_ms = context_.now_ms();
    }
    serve();
}

void UpstreamPool::on_ended(UpstreamSession& session, const std::string& /*why*/) {
    const auto at = std::find_if(open_.begin(), open_.end(),
                                 [&](const Open& open) { return open.session.get() == &session; });
    if (at != open_.end()) drop(at);
    serve();
}

std::list<UpstreamPool::Open>::iterator UpstreamPool::drop(std::list<Open>::iterator open) {
    open->session->close();
    state_->add_connections(-1);
    return open_.erase(open);
}

// ---- time and change

void UpstreamPool::tick() {
    if (closed_) return;
    const std::uint64_t now = context_.now_ms();
    forget_waiting(now);
    look_at_attempts(now);
    look_at_connections(now);
    keep_connections(now);
    serve();
}

void UpstreamPool::look_at_attempts(std::uint64_t now_ms) {
    for (auto at = attempts_.begin(); at != attempts_.end();) {
        const std::uint64_t age_ms = now_ms - at->connect->started_ms();
        const ConnectPath& path = at->connect->path();
        if (age_ms >= kFreshMs && !std::exchange(at->is_late, true)) {
            near_->fails(path.address);
            if (path.behind) behind_->fails(*path.behind);
            if (usable(now_ms) == 0)
                state_->fails("connecting to " + path.address.to_string() + ": no answer");
        }
        if (age_ms >= kGiveUpMs) {
            context_.count(StreamCount::upstream_connects_failed);
            at->connect->cancel();
            at = attempts_.erase(at);
        } else {
            ++at;
        }
    }
}

void UpstreamPool::look_at_connections(std::uint64_t now_ms) {
    for (auto at = open_.begin(); at != open_.end();) {
        at->session->expire(now_ms);
        const std::uint64_t silent_since = at->session->silent_since_ms();
        const bool is_silent = is_suspect(*at, now_ms);
        if (is_silent && !std::exchange(at->was_suspect, true)) suspect(*at);
        if (!is_silent) at->was_suspect = false;
        const bool is_unused = at->session->in_progress() == 0;
        const bool is_idle = is_unused && now_ms - at->used_ms >= target_->idle_timeout_ms &&
                             open_.size() > target_->min_conns;
        if (is_idle || (is_silent && (is_unused || now_ms - silent_since >= kGiveUpMs))) {
            at = drop(at);
        } else {
            ++at;
        }
    }
}

void UpstreamPool::suspect(Open& open) {
    context_.count(StreamCount::upstream_silent);
    for (const QueryPtr& query : queries_) {
        if (query->number != open.number || query->on_wire == 0 || query->newer_than != 0) continue;
        query->newer_than = last_number_;
        waiting_.push_front(query);
    }
}

void UpstreamPool::keep_connections(std::uint64_t now_ms) {
    if (now_ms < keep_at_ms_) return;
    const std::size_t there = usable(now_ms);
    if (there < target_->min_conns) connect_more(target_->min_conns - there);
}

void UpstreamPool::network_changed() {
    if (closed_) return;
    for (auto at = open_.begin(); at != open_.end();) {
        const auto source =
            source_towards(context_, at->path.address, target_->mark, target_->device);
        at = source == at->local ? std::next(at) : drop(at);
    }
    std::erase_if(attempts_, [&](const Attempt& attempt) {
        const IpAddress& to = attempt.connect->path().address;
        if (source_towards(context_, to, target_->mark, target_->device) ==
            attempt.connect->local())
            return false;
        attempt.connect->cancel();
        return true;
    });
    for (UpstreamName* name : {near_.get(), behind_.get()}) {
        if (name != nullptr) name->network_changed();
    }
    keep_at_ms_ = 0;
    serve();
}

void UpstreamPool::close() {
    if (std::exchange(closed_, true)) return;
    for (const Attempt& attempt : std::exchange(attempts_, {}))
        attempt.connect->cancel();
    while (!open_.empty())
        drop(open_.begin());
    for (UpstreamName* name : {near_.get(), behind_.get()}) {
        if (name != nullptr) name->close();
    }
    waiting_.clear();
    queries_.clear();
}

}  // namespace steer::stream
