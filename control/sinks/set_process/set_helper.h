// The loop of steerdns-sets: reads plans and claims from steerdnsd, maintains the sets with
// SetService, and reports their state.
//
// One thread. It may block in netlink, and on a socket that steerdnsd does not read yet, because
// steerdnsd never waits for it. It ends when the other end of the socket closes, or sends an
// unknown message.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "control/host/process/child_main.h"
#include "control/host/process/sequenced_socket.h"
#include "control/sinks/set_process/plan_reader.h"
#include "control/sinks/set_process/set_kernel.h"
#include "control/sinks/set_process/set_messages.h"
#include "control/sinks/set_process/set_service.h"
#include "dataplane/base/clock.h"

namespace steer::sets {

class SetHelper {
  public:
    using End = ChildEnd;

    SetHelper(SequencedSocket socket, SetKernel& kernel, Clock& clock);
    End run();

  private:
    // The duration of writes.
    class TimedKernel final : public SetWriter {
      public:
        explicit TimedKernel(SetKernel& kernel) : kernel_(kernel) {}
        Result<SetAbility> read(const SetName& set) override { return kernel_.read(set); }
        Result<void> add(const SetName& set, std::span<const SetElement> elements) override;
        Result<bool> has(const SetName& set, const matchers::Prefix& prefix) override {
            return kernel_.has(set, prefix);
        }
        Result<void> remove(const SetName& set,
                            std::span<const matchers::Prefix> elements) override {
            return kernel_.remove(set, elements);
        }
        Result<std::vector<matchers::Prefix>> ours(const SetName& set) override {
            return kernel_.ours(set);
        }
        [[nodiscard]] std::uint32_t write_us() const { return write_us_; }

      private:
        SetKernel& kernel_;
        std::uint32_t write_us_ = 0;
    };

    // Returns false if the connection ended, or a message was unknown; see end_.
    bool read_messages();
    bool take(SetMessage message);
    void take_up();
    void check(std::uint64_t now_ms);
    void wait() const;
    void say(const std::string& message);
    template <class Row>
    void say_rows(std::string (*encode)(std::uint32_t, std::span<const Row>),
                  std::span<const Row> rows);
    void say_states(std::uint64_t now_ms);

    SequencedSocket socket_;
    SetKernel& kernel_;
    Clock& clock_;
    TimedKernel writer_;
    SetService service_;
    PlanReader reader_;
    std::uint32_t plans_ = 0;  // the number of those in force
    std::uint64_t next_check_ms_ = 0;
    std::uint64_t state_ms_ = UINT64_MAX;  // without plans there is no report
    std::uint64_t say_again_ms_ = 0;
    std::vector<std::string> sent_states_;
    bool is_open_ = true;
    End end_ = End::closed;
};

}  // namespace steer::sets
