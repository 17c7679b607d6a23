// Others on the router: who change its rows, read them, or take its sessions. What is changed while
// acting() is theirs.
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

    // False, as below: the router does not let it be done.
    bool add(rossim::Family family, std::string_view list, std::string_view address,
             std::optional<std::int64_t> timeout_s, std::string_view comment, std::int64_t now_us);
    bool remove(rossim::Family family, std::string_view list, std::string_view address,
                std::int64_t now_us);
    void prefill(rossim::Family family, std::string_view list, std::size_t count,
                 std::int64_t now_us);
    bool edit(rossim::Family family, std::string_view list, std::string_view address,
              const rossim::RowEdit& edit, std::int64_t now_us);
    // Routes, by any gateway. False: there is none.
    void add_route(rossim::Family family, std::string_view table, std::string_view address,
                   std::string_view gateway, std::string_view comment, bool disabled,
                   std::int64_t now_us);
    bool remove_route(rossim::Family family, std::string_view table, std::string_view address,
                      std::int64_t now_us);
    bool edit_route(rossim::Family family, std::string_view table, std::string_view address,
                    const std::string& property, const std::string& value, std::int64_t now_us);
    // The flags of all routes by that gateway change, those of others, too.
    void set_gateway(const std::string& gateway, bool is_reachable, std::int64_t now_us);
    // Over the API, all rows; `done` when they arrived, or never will. Needs a router since 6.43.
    void print(unsigned times, std::int64_t now_us, std::function<void()> done);
    void take_all_sessions(std::size_t max_sessions, std::int64_t now_us);
    void leave(std::int64_t now_us);

    // True: the output was for them.
    bool arrived(const rossim::Output& output, std::int64_t now_us);
    [[nodiscard]] bool acting() const { return acting_; }

  private:
    struct Errand {
        routeros::Decoder reader;
        std::size_t answers_missing = 0;
        std::function<void()> done;
    };
    [[nodiscard]] std::optional<std::uint64_t> route_at(rossim::Family family,
                                                        std::string_view table,
                                                        std::string_view address) const;
    rossim::Router& sim_;
    bool acting_ = false;
    std::map<rossim::SessionId, Errand> errands_;
    std::vector<rossim::SessionId> crowd_;
};

}  // namespace steer::schedules
