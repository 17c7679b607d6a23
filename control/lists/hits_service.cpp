#include "control/lists/hits_service.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <utility>

#include "control/lists/holding_rules.h"
#include "dataplane/dns/name.h"

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
        if (count_ != nullptr) count_->hits.add(record);
    });
    methods.add({.name = "hits",
                 .help = "Counts queries for a while: top names, clients, types and rules.",
                 .changes = ops::Changes::nothing(),
                 .parameters = {{"seconds", ParamType::number, "duration in seconds (default: 10)",
                                 false, 1, kMaxSeconds, "s"},
                                {"top", ParamType::number,
                                 "maximum number of names, clients, types and rules (default: 20)",
                                 false, 1, kMaxTop},
                                {"client", ParamType::text, "only this client address or prefix"},
                                {"name", ParamType::domain_name,
                                 "only queries for this name and names below it"}},
                 .run = [this](const ops::Arguments& asked,
                               const ops::RpcDone& done) { begin(asked, done); },
                 .result = "counts of names, clients, types, ends and rules"});
}

void HitsService::begin(const ops::Arguments& asked, const ops::RpcDone& done) {
    const auto seconds = static_cast<unsigned>(asked.number("seconds", kSeconds));
    if (count_ != nullptr) {
        return done(ops::RpcError{ops::RpcCode::internal_error,
                                  "queries are being counted already: ask again"});
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
        if (auto name = dns::name_from_text(asked.text("name"))) filter.name = *std::move(name);
        if (filter.name.size() == 1) filter.name.clear();  // all names are below the root
    }
    records_->poll();  // what is left of the last count
    auto count = std::make_unique<Count>(
        Count{HitCounts(std::move(filter)), seconds, asked.number("top", kTop),
              std::chrono::steady_clock::now() + std::chrono::seconds(seconds), done,
              asked.text("client"), asked.text("name")});
    {
        const std::lock_guard lock(mutex_);
        count_ = std::move(count);
    }
    lost_before_ = 0;
    wish(1);
    look();
}

std::unique_ptr<HitsService::Count> HitsService::take_count() {
    const std::lock_guard lock(mutex_);
    return std::move(count_);
}

void HitsService::wish(std::uint32_t one_in) {
    one_in_ = one_in;
    records_->wish(taker_, {.one_in = one_in});
}

void HitsService::look() {
    records_->poll();
    // More records than can be read in time: ask for fewer.
    std::uint64_t lost = 0;
    {
        const std::lock_guard lock(mutex_);
        lost = count_->hits.lost();
    }
    if (lost > lost_before_) {
        lost_before_ = lost;
        wish(std::min(one_in_ * 2, kFewest));
    }
    if (std::chrono::steady_clock::now() >= count_->end) return finish();
    timer_.expires_after(kStepEvery);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) look();
    });
}

void HitsService::finish() {
    wish(0);
    const auto begun = thread_.run([this, names = count_->hits.names()] {
        auto rules = holding_rules(source_, [&](const config::Settings& settings) {
            return Result<std::vector<config::HoldingRule>>(config::rules_for(settings, names));
        });
        boost::asio::post(main_io_, [this, found = std::move(rules)]() mutable {
            const auto count = take_count();
            if (found.has_error()) return count->done(found.error());
            object out = count->hits.to_json(count->top);
            out["seconds"] = count->seconds;
            if (!count->client.empty()) out["client"] = count->client;
            if (!count->name.empty()) out["name"] = count->name;
            auto& rows = found->as_array();
            out["rules_that_hold"] = rows.size();
            keep_most_asked(rows, count->top);
            out["rules"] = std::move(rows);
            count->done(value(std::move(out)));
        });
    });
    if (begun) return;
    const auto count = take_count();
    count->done(ops::RpcError{ops::RpcCode::internal_error, begun.error().text});
}

}  // namespace steer
