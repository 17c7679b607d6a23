// Assembles plans from several messages.
#pragma once

#include <cstdint>
#include <vector>

#include "control/sinks/set_process/set_messages.h"

namespace steer::sets {

class PlanReader {
  public:
    enum class Progress : std::uint8_t { more, whole, wrong };
    // Adds a message with plans. `wrong`: not allowed here.
    Progress take(SetMessage message);
    // After `whole`.
    [[nodiscard]] std::uint32_t number() const { return number_; }
    [[nodiscard]] const std::vector<SetPlan>& plans() const { return plans_; }

  private:
    bool open_ = false;
    std::uint32_t number_ = 0;
    std::vector<SetPlan> plans_;
};

}  // namespace steer::sets
