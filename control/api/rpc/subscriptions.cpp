#include "control/api/rpc/subscriptions.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "matchers/safe_text.h"
#include "matchers/text.h"

namespace steer::ops {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

using Steady = std::chrono::steady_clock;
using Text = std::shared_ptr<const std::string>;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// `suffix` is in lower case.
bool is_below(std::string_view name, std::string_view suffix) {
    if (name.size() < suffix.size()) return false;
    const auto tail = name.substr(name.size() - suffix.size());
    if (!std::equal(tail.begin(), tail.end(), suffix.begin(),
                    [](char a, char b) { return lower(a) == b; }))
        return false;
    return name.size() == suffix.size() || name[name.size() - suffix.size() - 1] == '.';
}

bool contains(const matchers::Prefix& prefix, const IpAddress& address) {
    return matchers::Prefix::masked(address, prefix.length).address == prefix.address;
}

// Of topics other than counters.
bool matches(const Filter& filter, const Facts& facts) {
    if (facts.is_for_operators && !filter.is_operator) return false;
    if (!filter.kind.empty() && filter.kind != facts.kind) return false;
    if (!filter.suffix.empty() && !is_below(facts.name, filter.suffix)) return false;
    return !filter.client || (facts.client && contains(*filter.client, *facts.client));
}

struct Subscription {
    Feed* feed = nullptr;
    Topic topic = Topic::events;
    Filter filter;
    std::uint64_t matched = 0;  // for one_in
    std::uint64_t lost = 0;     // since the last notification
    double tokens = 0;          // notifications that the rate permits now
    Steady::time_point filled = Steady::now();
    std::deque<Text> queue;
    std::size_t queued_bytes = 0;

    bool may_send() {
        const auto now = Steady::now();
        const double most = filter.rate;
        tokens =
            std::min(most, tokens + most * std::chrono::duration<double>(now - filled).count());
        filled = now;
        if (tokens < 1) return false;
        tokens -= 1;
        return true;
    }
    bool has_room() const { return queue.size() < kMaxQueued && queued_bytes < kMaxQueuedBytes; }
};

// The differences of the counters since the last interval, for one subscription.
struct Ticker {
    explicit Ticker(asio::io_context& io) : timer(io) {}
    asio::steady_timer timer;
    std::map<std::string, std::uint64_t, std::less<>> last;
    Steady::time_point at;
};

void add_numbers(const json::value& value, const std::string& path,
                 std::map<std::string, std::uint64_t>& out) {
    const auto below = [&](std::string_view name) {
        return path.empty() ? std::string(name) : path + "." + std::string(name);
    };
    if (const auto* const object = value.if_object()) {
        for (const auto& [name, one] : *object)
            add_numbers(one, below(name), out);
    } else if (const auto* const array = value.if_array()) {
        for (const auto& one : *array) {
            const auto* const element = one.if_object();
            const auto* const name = element != nullptr ? element->if_contains("name") : nullptr;
            add_numbers(
                one, name != nullptr && name->is_string() ? below(name->get_string()) : path, out);
        }
    } else if (value.is_number() && !value.is_double()) {
        json::error_code error;
        const auto n = value.to_number<std::uint64_t>(error);
        if (!error) out[path] += n;
    }
}

}  // namespace

Subscriptions::Numbers numbers_of(const json::value& value) {
    std::map<std::string, std::uint64_t> all;
    add_numbers(value, {}, all);
    return {all.begin(), all.end()};
}

struct Subscriptions::Impl {
    explicit Impl(asio::io_context& context) : io(context) {}

    // The ids of those that get it. Others that match lose it, and are added to `lost`.
    std::vector<std::uint64_t> takers(Topic topic, const Facts& facts, std::uint64_t& lost) {
        std::vector<std::uint64_t> ids;
        for (auto& [id, one] : all) {
            if (one.topic != topic || !matches(one.filter, facts)) continue;
            if (one.matched++ % one.filter.one_in != 0) continue;
            if (one.has_room() && one.may_send()) {
                ids.push_back(id);
            } else {
                ++one.lost;
                ++lost;
            }
        }
        return ids;
    }
    // True: feeds must be woken.
    bool put(const std::vector<std::uint64_t>& ids, const Text& text) {
        bool any = false;
        for (const auto id : ids) {
            const auto at = all.find(id);
            if (at == all.end()) continue;
            at->second.queue.push_back(text);
            at->second.queued_bytes += text->size();
            any = true;
        }
        return any && !std::exchange(is_waking, true);
    }
    std::vector<Feed*> woken() {
        const std::lock_guard lock(mutex);
        is_waking = false;
        std::set<Feed*> feeds;
        for (const auto& [_, one] : all) {
            if (!one.queue.empty()) feeds.insert(one.feed);
        }
        return {feeds.begin(), feeds.end()};
    }

    asio::io_context& io;
    std::function<Numbers()> numbers = [] { return Numbers{}; };
    std::map<std::uint64_t, Ticker> tickers;
    std::map<const Feed*, std::uint64_t> turns;  // the subscription that was sent last

    mutable std::mutex mutex;  // of what follows
    std::map<std::uint64_t, Subscription> all;
    std::uint64_t next_id = 1;
    bool is_waking = false;
};

Feed::Feed(std::shared_ptr<Subscriptions> all, std::function<void()> wake)
    : all_(std::move(all)), wake_(std::move(wake)) {}
Feed::~Feed() {
    all_->unsubscribe_all(*this);
}
std::optional<std::string> Feed::next() {
    return all_->next_of(*this);
}
bool Feed::is_used() const {
    return all_->has_any(*this);
}

Subscriptions::Subscriptions(asio::io_context& io) : impl_(std::make_unique<Impl>(io)) {}
Subscriptions::~Subscriptions() = default;

void Subscriptions::set_counters(std::function<Numbers()> numbers) {
    impl_->numbers = std::move(numbers);
}

void Subscriptions::publish(Topic topic, const Facts& facts,
                            const std::function<json::object()>& make) {
    if (!wants(topic)) return;
    std::vector<std::uint64_t> ids;
    {
        const std::lock_guard lock(impl_->mutex);
        std::uint64_t lost = 0;
        ids = impl_->takers(topic, facts, lost);
        if (lost != 0)
            lost_[static_cast<std::size_t>(topic)].fetch_add(lost, std::memory_order_relaxed);
    }
    if (ids.empty()) return;
    json::object data = make();
    std::vector<std::uint64_t> readers;
    if (!facts.for_operators.empty()) {
        const std::lock_guard lock(impl_->mutex);
        const auto others = std::stable_partition(ids.begin(), ids.end(), [this](std::uint64_t id) {
            const auto at = impl_->all.find(id);
            return at != impl_->all.end() && at->second.filter.is_operator;
        });
        readers.assign(others, ids.end());
        ids.erase(others, ids.end());
    }
    if (!ids.empty()) deliver(ids, data);
    if (readers.empty()) return;
    for (const std::string_view key : facts.for_operators)
        data.erase(key);
    deliver(readers, data);
}

void Subscriptions::deliver(const std::vector<std::uint64_t>& ids, const json::object& data) {
    const auto text = std::make_shared<const std::string>(safe_json(json::serialize(data)));
    {
        const std::lock_guard lock(impl_->mutex);
        if (!impl_->put(ids, text)) return;
    }
    asio::post(impl_->io, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        for (Feed* const feed : self->impl_->woken())
            feed->wake_();
    });
}

Result<std::uint64_t> Subscriptions::subscribe(Feed& feed, Topic topic, const Filter& filter) {
    std::uint64_t id = 0;
    {
        const std::lock_guard lock(impl_->mutex);
        auto& all = impl_->all;
        const auto own = static_cast<std::size_t>(std::count_if(
            all.begin(), all.end(), [&](const auto& one) { return one.second.feed == &feed; }));
        if (own >= kMaxSubscriptionsPerFeed) {
            return Error{"this session has " + std::to_string(own) +
                         " subscriptions, which is the most: end one with `unsubscribe`"};
        }
        if (all.size() >= kMaxSubscriptions) {
            return Error{"there are " + std::to_string(all.size()) +
                         " subscriptions, which is the most: close a session that has some"};
        }
        id = impl_->next_id++;
        Subscription& one = all[id];
        one.feed = &feed;
        one.topic = topic;
        one.tokens = filter.rate;
        one.filter = filter;
        wanted_[static_cast<std::size_t>(topic)].fetch_add(1, std::memory_order_relaxed);
    }
    if (topic == Topic::counters) begin_ticks(id, filter);
    return id;
}

void Subscriptions::begin_ticks(std::uint64_t id, const Filter& filter) {
    Ticker& ticker = impl_->tickers.try_emplace(id, impl_->io).first->second;
    for (auto& [name, n] : impl_->numbers())
        ticker.last[name] = n;
    ticker.at = Steady::now();
    await_tick(id, filter);
}

void Subscriptions::await_tick(std::uint64_t id, const Filter& filter) {
    const auto at = impl_->tickers.find(id);
    if (at == impl_->tickers.end()) return;
    at->second.timer.expires_after(filter.interval);
    at->second.timer.async_wait([weak = weak_from_this(), id, filter](const auto& error) {
        const auto self = weak.lock();
        if (error || !self) return;
        self->tick(id, filter);
        self->await_tick(id, filter);
    });
}

// Differences that are not 0, and how long they took.
void Subscriptions::tick(std::uint64_t id, const Filter& filter) {
    const auto at = impl_->tickers.find(id);
    if (at == impl_->tickers.end()) return;
    {
        const std::lock_guard lock(impl_->mutex);
        auto& one = impl_->all[id];
        if (!one.has_room()) {
            ++one.lost;
            lost_[static_cast<std::size_t>(Topic::counters)].fetch_add(1,
                                                                       std::memory_order_relaxed);
            return;  // the next difference has these, too
        }
    }
    Ticker& ticker = at->second;
    const auto now = Steady::now();
    json::object differences;
    for (auto& [name, n] : impl_->numbers()) {
        if (!name.starts_with(filter.kind)) continue;
        std::uint64_t& last = ticker.last[name];
        if (n > last) differences[name] = n - last;
        last = n;
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now - ticker.at);
    ticker.at = now;
    deliver({id}, {{"interval_ms", took.count()}, {"differences", std::move(differences)}});
}

bool Subscriptions::unsubscribe(Feed& feed, std::uint64_t id) {
    {
        const std::lock_guard lock(impl_->mutex);
        const auto at = impl_->all.find(id);
        if (at == impl_->all.end() || at->second.feed != &feed) return false;
        wanted_[static_cast<std::size_t>(at->second.topic)].fetch_sub(1, std::memory_order_relaxed);
        impl_->all.erase(at);
    }
    impl_->tickers.erase(id);
    return true;
}

std::size_t Subscriptions::unsubscribe_all(Feed& feed) {
    std::vector<std::uint64_t> ids;
    {
        const std::lock_guard lock(impl_->mutex);
        for (const auto& [id, one] : impl_->all) {
            if (one.feed == &feed) ids.push_back(id);
        }
    }
    for (const auto id : ids)
        unsubscribe(feed, id);
    impl_->turns.erase(&feed);
    return ids.size();
}

std::size_t Subscriptions::count() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->all.size();
}

bool Subscriptions::has_any(const Feed& feed) const {
    const std::lock_guard lock(impl_->mutex);
    return std::any_of(impl_->all.begin(), impl_->all.end(),
                       [&](const auto& one) { return one.second.feed == &feed; });
}

std::optional<std::string> Subscriptions::next_of(const Feed& feed) {
    const std::lock_guard lock(impl_->mutex);
    auto& all = impl_->all;
    const auto is_ready = [&](const auto& one) {
        return one.second.feed == &feed && !one.second.queue.empty();
    };
    std::uint64_t& turn = impl_->turns[&feed];
    auto at = std::find_if(all.upper_bound(turn), all.end(), is_ready);
    if (at == all.end()) at = std::find_if(all.begin(), all.end(), is_ready);
    if (at == all.end()) return std::nullopt;
    auto& [id, one] = *at;
    turn = id;
    const Text data = std::move(one.queue.front());
    one.queue.pop_front();
    one.queued_bytes -= data->size();
    return R"({"jsonrpc":"2.0","method":")" +
           std::string(kTopicLabels[static_cast<std::size_t>(one.topic)]) +
           R"(","params":{"subscription":)" + std::to_string(id) + R"(,"lost":)" +
           std::to_string(std::exchange(one.lost, 0)) + R"(,"data":)" + *data + "}}";
}

// ---- the methods

namespace {

constexpr std::uint64_t kMostOneIn = 1'000'000, kMostRate = 5'000;

std::optional<Topic> topic_from(std::string_view text) {
    const auto* const at = std::find(kTopicLabels.begin(), kTopicLabels.end(), text);
    if (at == kTopicLabels.end()) return std::nullopt;
    return static_cast<Topic>(at - kTopicLabels.begin());
}

std::vector<Parameter> wish() {
    return {{"topics", ParamType::texts, "any of events, counters, queries, readiness", true},
            {"kind", ParamType::text,
             "events of this kind, queries with this end, counters whose names begin so"},
            {"name", ParamType::domain_name, "queries for this name, and for names below it"},
            {"client", ParamType::client, "queries of this client"},
            {"one_in", ParamType::number,
             "sampling: one of this number of matching queries (default: 1)", false, 1, kMostOneIn},
            {.name = "rate",
             .type = ParamType::number,
             .meaning = "the most notifications of a subscription (default: 200)",
             .least = 1,
             .most = kMostRate,
             .unit = "1/s"},
            {.name = "interval",
             .type = ParamType::number,
             .meaning = "time between two notifications of counters (default: 1000)",
             .least = 100,
             .most = 3'600'000,
             .unit = "ms"}};
}

// As names are written in notifications: without the last dot.
std::string suffix_of(std::string name) {
    while (name.ends_with('.'))
        name.pop_back();
    return matchers::lowered(name);
}

Result<Filter> filter_of(const Arguments& asked) {
    Filter filter{.kind = asked.text("kind"), .suffix = suffix_of(asked.text("name"))};
    if (const auto client = asked.find_text("client")) {
        const auto prefix = matchers::Prefix::parse(*client);
        if (!prefix) return Error{"\"client\": expected an address or a prefix"};
        filter.client = *prefix;
    }
    filter.one_in = static_cast<std::uint32_t>(asked.number("one_in", 1));
    filter.rate = static_cast<std::uint32_t>(asked.number("rate", kDefaultRate));
    filter.interval = std::chrono::milliseconds(asked.number("interval", 1'000));
    return filter;
}

}  // namespace

const Method& Subscriptions::method() {
    static const Method kMethod{
        .name = "subscribe",
        .help = "Sends events, counters, queries or readiness to this session as they come.",
        .changes = Changes::nothing(),
        .piece = Piece::small(),
        .parameters = wish(),
        .members = "subscriptions",
        .result = "`subscriptions`: the number of the subscription to each topic"};
    return kMethod;
}

RpcResult Subscriptions::subscribe(Feed& feed, const Arguments& asked) {
    std::vector<Topic> topics;
    for (const auto& text : asked.texts("topics")) {
        const auto topic = topic_from(text);
        if (!topic)
            return bad_params("\"topics\": there are events, counters, queries and readiness");
        if (std::find(topics.begin(), topics.end(), *topic) == topics.end())
            topics.push_back(*topic);
    }
    if (topics.empty())
        return bad_params("\"topics\": name one of events, counters, queries and readiness");
    auto filter = filter_of(asked);
    if (!filter) return bad_params(filter.error().text);
    filter->is_operator = asked.caller().role >= AccessRole::operate;
    json::object ids;
    std::vector<std::uint64_t> begun;
    for (const Topic topic : topics) {
        const auto id = subscribe(feed, topic, *filter);
        if (!id) {
            for (const auto one : begun)
                unsubscribe(feed, one);
            return RpcError{RpcCode::internal_error, id.error().text};
        }
        begun.push_back(*id);
        ids[kTopicLabels[static_cast<std::size_t>(topic)]] = *id;
    }
    return json::value{{"subscriptions", std::move(ids)}};
}

void Subscriptions::add_methods(Methods& methods) {
    constexpr std::string_view kNoFeed =
        "this connection carries no notifications: use the control socket, or GET /events";
    Method method = Subscriptions::method();
    method.run = [this, kNoFeed](const Arguments& asked) -> RpcResult {
        if (asked.caller().feed == nullptr)
            return RpcError{RpcCode::invalid_request, std::string(kNoFeed)};
        return subscribe(*asked.caller().feed, asked);
    };
    methods.add(std::move(method));
    methods.add({.name = "unsubscribe",
                 .help = "Ends subscriptions of this session.",
                 .changes = Changes::nothing(),
                 .piece = Piece::small(),
                 .parameters = {{"subscription", ParamType::number,
                                 "the number of the subscription; without it, all"}},
                 .run = [this, kNoFeed](const Arguments& asked) -> RpcResult {
                     if (asked.caller().feed == nullptr)
                         return RpcError{RpcCode::invalid_request, std::string(kNoFeed)};
                     Feed& feed = *asked.caller().feed;
                     if (!asked.has("subscription"))
                         return json::value{{"ended", unsubscribe_all(feed)}};
                     const auto id = asked.number("subscription", 0);
                     if (unsubscribe(feed, id)) return json::value{{"ended", 1}};
                     return bad_params("this session has no subscription " + std::to_string(id));
                 },
                 .members = "ended",
                 .result = "`ended`: their number"});
}

}  // namespace steer::ops
