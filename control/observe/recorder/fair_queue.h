// Requests of several callers, which take turns: a caller with many slow requests does not delay
// those of others.
//
// At most kMostRunning requests run, and of each caller one. A caller has at most kMostOfOne
// waiting requests, all together kMost. Not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace steer::recorder {

template <class Request>
class FairQueue {
  public:
    static constexpr std::size_t kMostRunning = 2, kMostOfOne = 16, kMost = 128;

    enum class Room : std::uint8_t { taken, none_for_caller, none };
    Room push(const std::string& caller, Request request) {
        if (waiting_ >= kMost) return Room::none;
        auto at = std::ranges::find(turns_, caller, &Turn::caller);
        if (at == turns_.end()) at = turns_.insert(at, Turn{caller, {}});
        if (at->requests.size() >= kMostOfOne) return Room::none_for_caller;
        at->requests.push_back(std::move(request));
        ++waiting_;
        return Room::taken;
    }

    struct Next {
        std::string caller;
        Request request;
    };
    // The next request that may run, which then runs until end(). No value: none.
    std::optional<Next> begin() {
        if (running_.size() >= kMostRunning) return std::nullopt;
        const auto at = std::ranges::find_if(turns_, [this](const Turn& turn) {
            return std::ranges::find(running_, turn.caller) == running_.end();
        });
        if (at == turns_.end()) return std::nullopt;
        Turn turn = std::move(*at);
        turns_.erase(at);
        Next next{turn.caller, std::move(turn.requests.front())};
        turn.requests.pop_front();
        if (!turn.requests.empty()) turns_.push_back(std::move(turn));
        running_.push_back(next.caller);
        --waiting_;
        return next;
    }
    void end(const std::string& caller) { std::erase(running_, caller); }

  private:
    struct Turn {
        std::string caller;
        std::deque<Request> requests;  // not empty
    };
    std::deque<Turn> turns_;  // the next one first
    std::vector<std::string> running_;
    std::size_t waiting_ = 0;
};

}  // namespace steer::recorder
