// The text of `client_groups`: GROUP MEMBER in each line, of a file or of a key in Redis.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings/group_settings.h"
#include "matchers/result.h"

namespace steer::config {

// A group and its member.
struct GroupLine {
    std::string group;
    std::uint64_t mac = 0;  // 0: `prefix`
    matchers::Prefix prefix;
};
Result<GroupLine> parse_group_line(std::string_view line);

// Collects the members of groups.
class GroupMaker {
  public:
    void add(const GroupLine& line);
    // By name. Error: there are too many groups.
    Result<std::vector<FileGroup>> finish();

  private:
    std::map<std::string, FileGroup> groups_;
};

// The groups of a whole text. Error: the first wrong line, and the number of others; then none of
// its groups may be used.
Result<std::vector<FileGroup>> read_group_text(std::string_view text);

}  // namespace steer::config
