// What upstreams say: the same to the same question asked for the same time, another address each time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "differential/case.h"

namespace steer::differential {

struct Reply {
    unsigned rcode = kNoError;
    std::vector<Record> answer;
    std::optional<Record> soa;  // of the authority section; data: its MINIMUM
};

class World {
  public:
    // nullopt: silence. `name`: lower-cased.
    std::optional<Reply> ask(const std::string& upstream, const std::string& name,
                             std::uint16_t type, std::uint16_t klass);

  private:
    std::map<std::string, unsigned> times_;
};

}  // namespace steer::differential
