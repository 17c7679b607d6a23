// Others who change rows on the router: by hand, at once and without CPU, or over the API.
//
// Knows afterwards which change in the journal was theirs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/wire.h"
#include "tools/rossim/router.h"

namespace steer::schedules {

class People {
  public:
    explicit People(rossim::Router& sim) : sim_(sim) {}

    void add(rossim::Family family, std::string_view list, std::string_view address,
             std::optional<std::int64_t> timeout_s, std::string_view comment, std::int64_t now_us);
    bool remove(rossim::Family family, std::string_view list, std::string_view address,
                std::int64_t now_us);
    void prefill(rossim::Family family, std::string_view list, std::size_t count,
                 std::int64_t now_us);
    // Over the API, which routers before 6.43 do not let us; false then, and while it is down.
    // `done` when it has been answered.
    bool set(rossim::Family family, std::uint64_t id, const std::string& attribute,
             std::int64_t now_us, std::function<void()> done);
    bool print(unsigned times, std::int64_t now_us, std::function<void()> done);
    void take_all_sessions(std::size_t max_sessions, std::int64_t now_us);
    void leave(std::int64_t now_us);

    // True: the output was for them.
    bool arrived(const rossim::Output& output, std::int64_t now_us);
    [[nodiscard]] bool is_theirs(const rossim::Commit& commit);
    void rebooted();

    bool can_log_in = true;

  private:
    struct Errand {
        routeros::Decoder reader;
        std::size_t answers_missing = 0;
        std::function<void()> done;
    };
    struct Expected {
        rossim::Family family;
        std::uint64_t id;
        bool operator==(const Expected&) const = default;
    };
    bool ask(const std::vector<std::vector<std::string>>& sentences, std::int64_t now_us,
             std::function<void()> done);

    rossim::Router& sim_;
    bool acting_ = false;
    std::map<rossim::SessionId, Errand> errands_;
    std::vector<rossim::SessionId> crowd_;
    std::vector<std::pair<Expected, std::string>> expected_;  // with the attribute that is set
};

}  // namespace steer::schedules
