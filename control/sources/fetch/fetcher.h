// The lists by HTTP of a running daemon: fetched on threads of their own when due, managed on the main thread.
// Reports changed copies, once for those that came together.
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
    // Puts new copies into force and calls `done` once they are, or are refused.
    using Changed = std::function<void(const std::string& what, Done done)>;

    // Gets a line of the log about a list.
    using Log = std::function<void(bool is_warning, const std::string& line)>;

    // Calls `changed` and all other functions on the main thread.
    Fetcher(boost::asio::io_context& main_io, Changed changed, Log log);
    ~Fetcher();  // ends running fetches
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;

    // The lists of the configuration in force.
    void follow(const config::Settings& settings);
    // Fetches all lists now; `done` when all are finished and changed copies are in force. `any_size`: accepts lists that lost more than their `max_shrink`.
    void fetch_now(Done done, bool any_size = false);
    // Aborts running fetches and starts no more.
    void end() { stop_.request_stop(); }

    // [{"url", "file", "outcome", "trouble", "rules", "bytes", "fetched_ago_s", "checked_ago_s", "due_s"}]
    [[nodiscard]] boost::json::value status() const;
    // Of each list whose last fetch went wrong, a sentence.
    [[nodiscard]] std::vector<std::string> problems() const;
    void write_metrics(ops::MetricWriter& writer) const;

  private:
    struct List {
        explicit List(Schedule when) : schedule(when) {}
        config::RemoteList list;
        Schedule schedule;
        ListFacts facts;
        Outcome last = Outcome::stopped;
        std::string trouble;  // of the last; empty: none
        bool under_way = false, asked = false, wanted = true;
        bool any_size = false;  // of the next fetch
    };
    void look();
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
    std::size_t taking_effect_ = 0;   // reports whose copies are not in force yet
    std::stop_source stop_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::unique_ptr<boost::asio::thread_pool> threads_;  // nullptr: no fetch yet
};

}  // namespace steer::fetch
