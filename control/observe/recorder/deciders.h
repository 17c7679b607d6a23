// The instructions of one configuration that decide about queries, for records: which plugin, list
// and line a program counter means.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/policy/snapshot.h"

namespace steer::recorder {

// The plugin of a decision by a rule of `control.rules`.
inline constexpr std::string_view kRulesOfPeople = "control.rules";

struct DecidedTexts {
    struct List {
        std::string name;
        bool logs_hits = false;
        matchers::ListVersion version;
    };
    std::string plugin, rule;
    std::vector<List> lists;  // of the plugin, by `part`
};

// The same as views, of a Deciders.
struct DecidedBy {
    struct Line {
        std::string_view list;
        std::uint32_t number = 0;
        std::string rule;  // as in matchers::ListLines
    };
    // The line that decided about the name. `is_allowed`: by an exception, of any of the plugin's
    // lists if the record names none.
    [[nodiscard]] std::optional<Line> line_of(std::string_view name, bool is_allowed) const;

    std::string_view plugin;  // tag, or kRulesOfPeople
    std::string_view list;    // path, URL or zone; empty: none
    std::string_view rule;    // "FILE:LINE TEXT"; empty: no line says it
    bool logs_hits = false;   // of the list, as the next
    std::string_view sha256;
    std::optional<std::uint32_t> serial;
    std::span<const DecidedTexts::List> lists{};  // `list`, or all of the plugin
};
// Of one instruction of the snapshot.
DecidedTexts decided_texts(const Snapshot& snapshot, std::size_t pc);

class Deciders {
  public:
    // Copies what it needs.
    explicit Deciders(const Snapshot& snapshot);
    // `part`: number of the list or zone, or ProgramState::kNoPart. Valid while this object lives.
    [[nodiscard]] DecidedBy of(std::uint16_t pc, std::uint8_t part) const;

  private:
    std::vector<DecidedTexts> by_pc_;
};

}  // namespace steer::recorder
