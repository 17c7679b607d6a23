#include "control/observe/lists/hits_service.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <utility>

#include "control/config/text/dns_names.h"
#include "control/observe/lists/holding_rules.h"

namespace steer {
namespace {

using boost::json::object;
using boost::json::value;

constexpr std::chrono::milliseconds kStepEvery{10};
constexpr unsigned kSeconds = 10, kMaxSeconds = 300;
constexpr unsigned kTop = 20, kMaxTop = 10'000;
constexpr std::uint32_t kFewest = 1U << 16;  // at least one in this number

}  // namespace

HitsService::HitsService(boost::asio::io_context& main_io, ConfigSource source)
    : main_io_(main_io), source_(std::move(source)), timer_(main_io) {}

HitsService::~HitsService() {
    if (records_ != nullptr) records_->remove(taker_);
}

void HitsService::add_methods(ops::Methods& methods, QueryRecordFeed& records) {
    using ops::ParamType;
    records_ = &records;
    taker_ = records.add([this](const QueryRecordView& record) {
        const std::lock_guard lock(mutex_);
        for (const auto& count : counts_)
            count->hits.add(record);
    });
    methods.add({.name = "hits",
                 .help = "Counts queries for a while: top names, clients, types and rules.",
                 .changes = ops::Changes::nothing(),
                 .piece = ops::Piece::report(),
                 .parameters = {{"seconds", ParamType::number, "duration in seconds (default: 10)",
                                 false, 1, kMaxSeconds, "s"},
                                {"top", ParamType::number,
                                 "maximum number of names, clients, types and rules (default: 20)",
                                 false, 1, kMaxTop},
                                {"client", ParamType::client, "only this client"},
                                {"name", ParamType::domain_name,
                                 "only queries for this name and names below it"}},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { begin(asked, done); },
                 .members = "queries lost samples malformed seconds client? name? names clients "
                            "types suffixes? rules rules_that_hold",
                 .result = "counts of names, clients, types, ends and rules"});
}

void HitsService::begin(const ops::Arguments& asked, const ops::RpcDone& done) {
    const auto seconds = static_cast<unsigned>(asked.number("seconds", kSeconds));
    if (counts_.size() + counted_.size() >= kMostCounts) {
        return done(ops::RpcError{ops::RpcCode::internal_error,
                                  "queries are being counted for 8 others: ask again"});
    }
    HitCounts::Filter filter;
    if (asked.has("client")) {
        const auto prefix = matchers::Prefix::parse(asked.text("client"));
        if (!prefix)
            return done(
                ops::bad_params("client: expected an address or prefix such as 192.0.2.0/24"));
        filter.clients = *prefix;
    }
    if (asked.has("name")) {
        if (auto name = config::asked_name(asked.text("name"))) filter.name = *std::move(name);
        if (filter.name.size() == 1) filter.name.clear();  // all names are below the root
    }
    records_->poll();  // what arrived before
    const bool is_first = counts_.empty();
    auto count = std::make_unique<Count>(
        Count{HitCounts(std::move(filter)), seconds, asked.number("top", kTop),
              std::chrono::steady_clock::now() + std::chrono::seconds(seconds), done,
              asked.text("client"), asked.text("name")});
    {
        const std::lock_guard lock(mutex_);
        counts_.push_back(std::move(count));
    }
    if (!is_first) return;
    wish(1);
    poll();
}

void HitsService::wish(std::uint32_t one_in) {
    one_in_ = one_in;
    records_->wish(taker_, {.one_in = one_in});
}

// The recorder polls, too, so records may be here already.
void HitsService::poll() {
    records_->poll();
    const auto now = std::chrono::steady_clock::now();
    const bool was_idle = counted_.empty();
    bool has_lost = false;
    {
        const std::lock_guard lock(mutex_);
        for (auto at = counts_.begin(); at != counts_.end();) {
            Count& count = **at;
            if (count.hits.lost() > count.lost_before) has_lost = true;
            count.lost_before = count.hits.lost();
            if (now < count.end) {
                ++at;
                continue;
            }
            counted_.push_back(std::move(*at));
            at = counts_.erase(at);
        }
    }
    // More records than can be read in time: ask for fewer.
    if (counts_.empty()) {
        wish(0);
    } else if (has_lost) {
        wish(std::min(one_in_ * 2, kFewest));
    }
    if (was_idle && !counted_.empty()) find_rules();
    if (counts_.empty()) return;
    timer_.expires_after(kStepEvery);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) poll();
    });
}

ops::RpcResult HitsService::answer_to(const Count& count) const {
    auto found = holding_rules(source_, [&](const config::Settings& settings) {
        return Result<std::vector<config::HoldingRule>>(
            config::rules_for(settings, count.hits.names()));
    });
    if (found.has_error()) return found.error();
    object out = count.hits.to_json(count.top);
    out["seconds"] = count.seconds;
    if (!count.client.empty()) out["client"] = count.client;
    if (!count.name.empty()) out["name"] = count.name;
    auto& rows = found->as_array();
    out["rules_that_hold"] = rows.size();
    keep_most_asked(rows, count.top);
    out["rules"] = std::move(rows);
    return value(std::move(out));
}

// Of the first count that ended; then of the next.
void HitsService::find_rules() {
    // Nothing changes a count that has ended, so the thread may read it.
    const auto begun = thread_.run([this, &count = *counted_.front()] {
        boost::asio::post(main_io_, [this, answer = answer_to(count)]() mutable {
            const auto ended = std::move(counted_.front());
            counted_.pop_front();
            ended->done(std::move(answer));
            if (!counted_.empty()) find_rules();
        });
    });
    while (!begun && !counted_.empty()) {
        counted_.front()->done(ops::RpcError{ops::RpcCode::internal_error, begun.error().text});
        counted_.pop_front();
    }
}

}  // namespace steer
