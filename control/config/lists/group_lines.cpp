#include "control/config/lists/group_lines.h"

#include <algorithm>
#include <utility>

#include "matchers/list/lines.h"
#include "matchers/prefix/mac_address.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

constexpr std::size_t kMaxGroupName = 63;

}  // namespace

Result<GroupLine> parse_group_line(std::string_view line) {
    const std::string_view text = matchers::without_comment(line);
    const auto at = text.find_first_of(" \t");
    const std::string_view member = at == text.npos ? "" : matchers::trimmed(text.substr(at));
    GroupLine out{.group = std::string(text.substr(0, at))};
    if (!is_safe_text(out.group, kMaxGroupName))
        return Error{matchers::quoted(out.group) +
                     " is not the name of a group: expected at most 63 bytes of plain text"};
    if (const auto mac = parse_mac(member)) {
        out.mac = *mac;
    } else if (const auto prefix = matchers::Prefix::parse(member)) {
        out.prefix = *prefix;
    } else {
        return Error{matchers::quoted(text) +
                     " is not a member: expected GROUP and an address, a prefix or a MAC address, "
                     "as in 'children 192.0.2.0/24'"};
    }
    return out;
}

void GroupMaker::add(const GroupLine& line) {
    FileGroup& group = groups_[line.group];
    if (line.mac != 0) {
        group.macs.push_back(line.mac);
    } else {
        group.prefixes.push_back(line.prefix);
    }
}

Result<std::vector<FileGroup>> GroupMaker::finish() {
    if (groups_.size() > kMaxFileGroups)
        return Error{"it has " + std::to_string(groups_.size()) + " groups: at most " +
                     std::to_string(kMaxFileGroups) + " are possible"};
    std::vector<FileGroup> out;
    for (auto& [name, group] : std::exchange(groups_, {})) {
        group.name = name;
        std::ranges::sort(group.macs);
        out.push_back(std::move(group));
    }
    return out;
}

Result<std::vector<FileGroup>> read_group_text(std::string_view text) {
    if (auto error = matchers::not_utf8(text)) return *std::move(error);
    GroupMaker maker;
    std::string first;
    std::size_t wrong = 0;
    matchers::Lines lines(text);
    while (const auto line = lines.next()) {
        if (line->text.empty() || line->text.starts_with('#')) continue;
        if (const auto member = parse_group_line(line->text)) {
            maker.add(*member);
        } else if (++wrong == 1) {
            first = "line " + std::to_string(line->number) + ": " + member.error().text;
        }
    }
    if (wrong == 0) return maker.finish();
    if (wrong > 1)
        first += ", and " + std::to_string(wrong - 1) +
                 (wrong == 2 ? " more line is wrong" : " more lines are wrong");
    return Error{first};
}

}  // namespace steer::config
