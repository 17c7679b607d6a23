#include "control/sources/fetch/fetcher.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <ctime>
#include <random>
#include <utility>

#include "control/host/process/background.h"

namespace steer::fetch {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::uint64_t kJustNowS = 60;
constexpr std::chrono::seconds kDueEvery{1};

std::uint64_t now_s() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
}
std::uint64_t wall_s() {
    return static_cast<std::uint64_t>(std::time(nullptr));
}

double chance() {
    thread_local std::minstd_rand engine{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(engine);
}

std::uint32_t seconds(config::Milliseconds value) {
    return static_cast<std::uint32_t>(value.count() / 1000);
}

json::value ago(std::uint64_t then_s) {
    if (then_s == 0) return nullptr;
    const std::uint64_t now = wall_s();
    return now > then_s ? now - then_s : std::uint64_t{0};
}

}  // namespace

Fetcher::Fetcher(asio::io_context& main_io, Changed changed, Log log)
    : main_io_(main_io), changed_(std::move(changed)), log_(std::move(log)), timer_(main_io) {}

Fetcher::~Fetcher() {
    *alive_ = false;
    stop_.request_stop();
    timer_.cancel();
    if (threads_) threads_->join();
}

void Fetcher::follow(const config::Settings& settings) {
    options_ = fetch_options_of(settings);
    const std::uint64_t now = now_s();
    for (auto& [_, list] : lists_)
        list.wanted = false;
    for (const config::RemoteList& remote : settings.remote_lists) {
        const auto [at, fresh] =
            lists_.try_emplace(remote.url, Schedule(seconds(options_.limits.every), now));
        List& list = at->second;
        list.wanted = true;
        list.list = remote;
        list.schedule.set_every(seconds(options_.limits.every), now);
        if (!fresh) continue;
        list.facts = load_facts(remote.file, remote.url).value_or(ListFacts{.url = remote.url});
        // The start has just fetched it.
        const auto age = ago(list.facts.checked_s);
        if (remote.present && age.is_uint64() && age.get_uint64() < kJustNowS)
            list.schedule.went_well(now, chance());
    }
    std::erase_if(lists_, [](const auto& l) { return !l.second.wanted && !l.second.in_progress; });
    if (!lists_.empty()) check();
}

void Fetcher::fetch_now(Done done, bool any_size) {
    for (auto& [_, list] : lists_) {
        list.any_size = any_size;
        list.schedule.now(now_s());
        list.asked = true;
    }
    waiting_.push_back(std::move(done));
    check();
}

// Starts due fetches, reports finished ones, sets the timer again.
void Fetcher::check() {
    const std::uint64_t now = now_s();
    bool busy = false;
    for (auto& [url, list] : lists_) {
        if (!list.in_progress && list.schedule.is_due(now)) start(url, list);
        busy = busy || list.in_progress;
    }
    if (!busy && !fresh_.empty()) {
        const auto urls = std::exchange(fresh_, {});
        ++taking_effect_;
        changed_(
            urls.size() == 1 ? "a new " + urls.front() : std::to_string(urls.size()) + " new lists",
            [this, alive = alive_] {
                if (*alive) took_effect();
            });
    }
    if (!busy && taking_effect_ == 0) {
        for (const auto& done : std::exchange(waiting_, {}))
            done();
    }
    if (lists_.empty()) return;
    timer_.expires_after(kDueEvery);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) check();
    });
}

void Fetcher::took_effect() {
    --taking_effect_;
    // Outside of the reload that calls this.
    asio::post(main_io_, [this, alive = alive_] {
        if (*alive) check();
    });
}

void Fetcher::start(const std::string& url, List& list) {
    list.in_progress = true;
    list.asked = false;
    FetchOptions options = options_;
    options.any_size = std::exchange(list.any_size, false);
    if (!threads_) threads_ = std::make_unique<asio::thread_pool>(kThreads);
    asio::post(*threads_, [this, url, remote = list.list, options, stop = stop_.get_token(),
                           alive = alive_, &main_io = main_io_] {
        const BackgroundWork counted;
        run_in_background();
        pthread_setname_np(pthread_self(), "fetch");
        auto outcome = fetch_list(remote, options, wall_s(), stop);
        asio::post(main_io, [this, url, alive, made = std::move(outcome)] {
            if (*alive) ended(url, made);
        });
    });
}

void Fetcher::ended(const std::string& url, const ListOutcome& outcome) {
    ++counts_[static_cast<std::size_t>(outcome.outcome)];
    const auto at = lists_.find(url);
    if (at == lists_.end()) return;
    List& list = at->second;
    say(url, list, outcome);
    list.in_progress = false;
    list.last = outcome.outcome;
    list.error = outcome.why;
    list.facts = outcome.facts;
    if (is_good(outcome.outcome)) {
        list.schedule.went_well(now_s(), chance());
    } else {
        list.schedule.failed(now_s(), outcome.facts.bytes != 0, chance());
    }
    if (list.asked) list.schedule.now(now_s());
    if (outcome.changed && list.wanted) fresh_.push_back(url);
    if (!list.wanted) lists_.erase(at);
    check();
}

// Logs the same error once.
void Fetcher::say(const std::string& url, const List& list, const ListOutcome& outcome) const {
    if (!outcome.remark.empty()) log_(true, outcome.remark);
    if (outcome.changed) return log_(false, sentence(url, outcome));
    if (!is_good(outcome.outcome) && outcome.why != list.error)
        return log_(true, sentence(url, outcome));
    spdlog::debug("{}", sentence(url, outcome));
}

json::value Fetcher::status() const {
    json::array all;
    const std::uint64_t now = now_s();
    for (const auto& [url, list] : lists_) {
        const bool tried = list.last != Outcome::stopped;
        const bool was_fetched = list.facts.fetched_s != 0;
        const std::uint64_t due = list.schedule.due_s();
        all.push_back(json::object{
            {"url", url},
            {"file", list.list.file},
            {"outcome", list.in_progress ? json::value("under way")
                        : tried          ? json::value(kOutcomes[list.last].label)
                                         : json::value(nullptr)},
            {"rules", was_fetched ? json::value(list.facts.rules) : json::value(nullptr)},
            {"bytes", was_fetched ? json::value(list.facts.bytes) : json::value(nullptr)},
            {"fetched_ago_s", ago(list.facts.fetched_s)},
            {"checked_ago_s", ago(list.facts.checked_s)},
            {"next_s", due > now ? due - now : 0},
            {"trouble", list.error}});
    }
    return json::object{{"lists", std::move(all)}};
}

std::vector<std::string> Fetcher::problems() const {
    std::vector<std::string> all;
    for (const auto& [url, list] : lists_) {
        if (list.error.empty()) continue;
        // Some errors end with what to do.
        const bool has_advice = list.error.find(';') != std::string::npos;
        all.push_back(url + " was not taken: " + list.error +
                      (has_advice ? "" : "; `steerctl lists` shows the age of the copy in use"));
    }
    return all;
}

void Fetcher::write_metrics(ops::MetricWriter& writer) const {
    writer.family("steerdns_list_fetches");
    for (const auto& outcome : kOutcomes) {
        writer.sample({{"outcome", outcome.label}},
                      counts_[static_cast<std::size_t>(outcome.which)]);
    }
    writer.family("steerdns_list_age_seconds");
    for (const auto& [url, list] : lists_) {
        if (list.facts.checked_s == 0) continue;
        const std::uint64_t now = wall_s();
        writer.sample({{"url", url}},
                      now > list.facts.checked_s ? now - list.facts.checked_s : std::uint64_t{0});
    }
    writer.family("steerdns_list_kept");
    for (const auto& [url, list] : lists_) {
        const bool kept = list.last == Outcome::no_list || list.last == Outcome::shrunk ||
                          list.last == Outcome::too_large;
        writer.sample({{"url", url}}, std::uint64_t{kept ? 1U : 0U});
    }
}

}  // namespace steer::fetch
