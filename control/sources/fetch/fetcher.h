// The HTTP lists of a running daemon. Separate threads fetch them when due; the main thread manages
// them. Reports changed copies, one report for several that arrive together.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/config/settings.h"
#include "control/sources/fetch/schedule.h"
#include "control/streams/fetch/list_fetch.h"

namespace steer::fetch {

class Fetcher {
  public:
    using Done = std::function<void()>;
    // Applies new copies, and calls `done` after they are applied or rejected.
    using Changed = std::function<void(const std::string& what, Done done)>;

    // Gets a log line about a list.
    using Log = std::function<void(bool is_warning, const std::string& line)>;

    // Calls `changed` and all other functions on the main thread.
    Fetcher(boost::asio::io_context& main_io, Changed changed, Log log);
    ~Fetcher();  // ends running fetches
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;

    // Sets the lists of the present configuration.
    void follow(const config::Settings& settings);
    // Fetches all lists now. Calls `done` when all are finished and changed copies are applied.
    // `any_size`: accepts lists that lost more rules than their `max_shrink` allows.
    void fetch_now(Done done, bool any_size = false);
    // Aborts running fetches and starts no more.
    void end() { stop_.request_stop(); }

    // [{"url", "file", "outcome", "trouble", "rules", "bytes", "fetched_ago_s", "checked_ago_s",
    // "due_s"}]
    [[nodiscard]] boost::json::value status() const;
    // A sentence for each list whose last fetch failed.
    [[nodiscard]] std::vector<std::string> problems() const;
    void write_metrics(ops::MetricWriter& writer) const;

  private:
    struct List {
        explicit List(Schedule when) : schedule(when) {}
        config::RemoteList list;
        Schedule schedule;
        ListFacts facts;
        Outcome last = Outcome::stopped;
        std::string error;  // of the last fetch; empty: none
        bool in_progress = false, asked = false, wanted = true;
        bool any_size = false;  // of the next fetch
    };
    void check();
    void start(const std::string& url, List& list);
    void took_effect();
    void ended(const std::string& url, const ListOutcome& outcome);
    void say(const std::string& url, const List& list, const ListOutcome& outcome) const;

    boost::asio::io_context& main_io_;
    const Changed changed_;
    const Log log_;
    boost::asio::steady_timer timer_;
    FetchOptions options_;
    std::map<std::string, List> lists_;  // by URL
    std::vector<Done> waiting_;          // for fetching all
    std::array<std::uint64_t, kOutcomes.size()> counts_{};
    std::vector<std::string> fresh_;  // URLs with changed copies, not reported yet
    std::size_t taking_effect_ = 0;   // reports whose copies are not applied yet
    std::stop_source stop_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::unique_ptr<boost::asio::thread_pool> threads_;  // nullptr: no fetch yet
};

}  // namespace steer::fetch
