#include "control/observe/recorder/deciders.h"

#include <utility>

#include "matchers/list/list_lines.h"

namespace steer::recorder {
namespace {

bool may_decide(Op op) {
    return has_trait(op, op_traits::kWritesResponse | op_traits::kRewrites) || op == Op::rules ||
           op == Op::allow || op == Op::watch_targets || op == Op::pass_allowed;
}

std::string place_text(const ProgramSource& source, std::size_t pc) {
    if (pc >= source.places.size()) return {};
    const ProgramSource::Place& at = source.places[pc];
    if (at.line == 0 || at.file >= source.files.size()) return {};
    std::string out = source.files[at.file] + ":" + std::to_string(at.line);
    if (pc < source.texts.size() && !source.texts[pc].empty()) out += " " + source.texts[pc];
    return out;
}

std::string sequence_of(const ProgramSource& source, std::size_t pc) {
    if (pc >= source.places.size()) return {};
    const std::uint16_t at = source.places[pc].sequence;
    return at < source.sequences.size() ? source.sequences[at] : std::string();
}

}  // namespace

DecidedTexts decided_texts(const Snapshot& snapshot, std::size_t pc) {
    DecidedTexts out;
    if (pc >= snapshot.program.size()) return out;
    const Instruction& i = snapshot.program[pc];
    out.rule = place_text(snapshot.source, pc);
    if (i.op == Op::rules) {
        out.plugin = kRulesOfPeople;
    } else if (i.op == Op::ad_list || i.op == Op::watch_targets || i.op == Op::allow) {
        const AdList& list = snapshot.ad_lists[i.operand];
        out.plugin = list.tag;
        for (const AdList::Part& part : list.lists)
            out.lists.push_back({part.name, part.logs_hits, part.version});
    } else if (i.op == Op::enter_rpz) {
        const Rpz& rpz = snapshot.rpzs[i.operand];
        out.plugin = rpz.tag;
        for (const Rpz::Zone& zone : rpz.zones)
            out.lists.push_back({zone.name, zone.logs_hits, zone.version});
    } else {
        out.plugin = sequence_of(snapshot.source, pc);
    }
    return out;
}

Deciders::Deciders(const Snapshot& snapshot) : by_pc_(snapshot.program.size()) {
    for (std::size_t pc = 0; pc < snapshot.program.size(); ++pc) {
        if (may_decide(snapshot.program[pc].op)) by_pc_[pc] = decided_texts(snapshot, pc);
    }
}

DecidedBy Deciders::of(std::uint16_t pc, std::uint8_t part) const {
    if (pc >= by_pc_.size()) return {};
    const DecidedTexts& one = by_pc_[pc];
    if (part >= one.lists.size())
        return {.plugin = one.plugin, .rule = one.rule, .lists = one.lists};
    const DecidedTexts::List& list = one.lists[part];
    return {.plugin = one.plugin,
            .list = list.name,
            .rule = one.rule,
            .logs_hits = list.logs_hits,
            .sha256 = list.version.sha256,
            .serial = list.version.serial,
            .lists = std::span(one.lists).subspan(part, 1)};
}

std::optional<DecidedBy::Line> DecidedBy::line_of(std::string_view name, bool is_allowed) const {
    if (list.empty() && !is_allowed) return std::nullopt;
    for (const DecidedTexts::List& one : lists) {
        const auto& lines = is_allowed ? one.version.exceptions : one.version.lines;
        if (lines == nullptr) continue;
        if (auto found = lines->find(name))
            return Line{one.name, static_cast<std::uint32_t>(found->number),
                        std::move(found->rule)};
    }
    return std::nullopt;
}

}  // namespace steer::recorder
