// A program as text: pc (with * in the pure prefix), instruction, references, source line.
#include <algorithm>
#include <array>
#include <charconv>
#include <iomanip>
#include <ostream>
#include <span>
#include <sstream>

#include "control/program/build/build.h"

namespace steer::build {
namespace {

std::string qps_text(double qps) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.begin(), text.end(), qps, std::chars_format::fixed).ptr;
    return {text.begin(), end};
}

std::string sets_text(const matchers::TagBits& mask) {
    std::string out;
    for (std::size_t set = 0; set < matchers::kMaxSets; ++set) {
        if (mask.test(static_cast<matchers::SetId>(set)))
            out += (out.empty() ? "" : ",") + std::to_string(set);
    }
    return "sets {" + out + "}";
}

std::string group_text(const Snapshot& snapshot, const UpstreamGroup& group) {
    std::string out;
    for (const std::uint16_t member : group.members)
        out += (out.empty() ? "" : " ") + snapshot.upstreams[member].name;
    return out;
}

std::string ecs_text(const EcsHandler& handler) {
    std::string out = handler.forward ? "the client's, else " : "";
    if (handler.preset_len > 0) {
        std::array<std::uint8_t, 16> bytes{};
        std::copy_n(handler.preset.begin() + 2, handler.preset_len - 2, bytes.begin());
        const IpAddress address = handler.preset[0] == 1 ? IpAddress::from_v4(bytes.data())
                                                         : IpAddress::from_v6(bytes.data());
        return out + address.to_string() + "/" + std::to_string(handler.preset[1]);
    }
    if (!handler.send) return out + "none";
    return out + "its address /" + std::to_string(handler.mask4) + " and /" +
           std::to_string(handler.mask6);
}

std::string_view name_of(TextMatch::Of of) {
    switch (of) {
        case TextMatch::Of::client:
            return "client_ip";
        case TextMatch::Of::response:
            return "resp_ip";
        case TextMatch::Of::marks:
            return "mark";
        case TextMatch::Of::server_name:
            return "server_name";
        case TextMatch::Of::url_path:
            return "url_path";
    }
    return "?";
}

std::string text_match_text(const TextMatch& match) {
    std::string out(name_of(match.of));
    out.append(" ").append(matchers::name_of(match.test.operation()));
    for (const std::string& word : match.test.words())
        out.append(" ").append(word);
    return out;
}

std::string fallback_text(const Fallback& f) {
    std::string out = std::to_string(f.primary) + ", ";
    if (f.terms.on_timeout) out += "after " + std::to_string(f.threshold_ms) + " ms ";
    out += std::to_string(f.secondary);
    if (f.terms.always_standby) out += ", standby";
    if (!f.terms.on_timeout) out += ", not when late";
    if (!f.terms.on_error) out += ", not after an error";
    if (!f.terms.on_no_response) out += ", not without a response";
    return out;
}

std::string operand_text(const Snapshot& snapshot, const Instruction& i) {
    switch (traits_of(i.op).operand) {
        case OperandKind::tag_mask:
            return sets_text(snapshot.tag_masks[i.operand]);
        case OperandKind::numbers: {
            std::string out;
            constexpr std::size_t kMaxShown = 32;
            const auto& numbers = snapshot.number_sets[i.operand];
            for (const std::uint16_t number :
                 std::span(numbers).first(std::min(numbers.size(), kMaxShown)))
                out += (out.empty() ? "" : ",") + std::to_string(number);
            if (numbers.size() > kMaxShown) out += ",... (" + std::to_string(numbers.size()) + ")";
            return out;
        }
        case OperandKind::text_match:
            return text_match_text(snapshot.text_matches[i.operand]);
        case OperandKind::devices: {
            const DeviceSet& set = snapshot.device_sets[i.operand];
            return "macs " + std::to_string(set.macs.size()) + ", names " +
                   std::to_string(set.names.size()) + ", groups " +
                   std::to_string(set.groups.size() + set.made.size());
        }
        case OperandKind::prefixes:
            return "prefixes " + std::to_string(i.operand);
        case OperandKind::chance:
            return std::to_string(i.operand) + " of 2^32";
        case OperandKind::rate_limiter: {
            const RateLimit& limit = snapshot.rate_limiters[i.operand].limit();
            return qps_text(limit.qps) + "/s, burst " + std::to_string(limit.burst) + ", of /" +
                   std::to_string(limit.mask4) + " and /" + std::to_string(limit.mask6);
        }
        case OperandKind::target:
            return std::to_string(i.target);
        case OperandKind::marks: {
            std::ostringstream out;
            out << "bits 0x" << std::hex << snapshot.mark_masks[i.operand];
            return out.str();
        }
        case OperandKind::group:
            return group_text(snapshot, snapshot.groups[i.operand]);
        case OperandKind::milliseconds:
            return std::to_string(i.operand) + " ms";
        case OperandKind::statics:
            return std::to_string(i.operand) + ", deeds " +
                   std::to_string(snapshot.statics[i.operand].does.size());
        case OperandKind::rpz: {
            const Rpz& rpz = snapshot.rpzs[i.operand];
            std::string out = rpz.tag;
            for (const Rpz::Zone& zone : rpz.zones)
                out += ", " + zone.name +
                       (zone.live != nullptr ? " (by zone transfer)"
                                             : " (" + std::to_string(zone.rules) + " triggers)");
            return out;
        }
        case OperandKind::ad_list:
            return snapshot.ad_lists[i.operand].tag +
                   (i.op == Op::ad_list ? ", paused " + std::to_string(i.target) : "");
        case OperandKind::dns64:
            return std::to_string(i.operand) +
                   (snapshot.dns64s[i.operand].translate_all ? ", all" : "");
        case OperandKind::prefer:
            return std::string(snapshot.prefers[i.operand].wanted == 1 ? "A" : "AAAA") +
                   (snapshot.prefers[i.operand].probe == 0
                        ? ""
                        : ", by " + std::to_string(snapshot.prefers[i.operand].probe));
        case OperandKind::time_test:
            return snapshot.time_tests[i.operand].periods;
        case OperandKind::fallback:
            return fallback_text(snapshot.fallbacks[i.operand]);
        case OperandKind::cache:
            return snapshot.caches[i.operand].tag;
        case OperandKind::list:
            return snapshot.lists[i.operand].tag;
        case OperandKind::text:
            return "'" + snapshot.texts[i.operand] + "'";
        case OperandKind::task:
            return snapshot.task_tags[i.operand];
        case OperandKind::collector:
            return snapshot.collectors[i.operand]->name();
        case OperandKind::learner:
            return snapshot.learners[i.operand].tag +
                   (snapshot.learners[i.operand].before ? ", before" : ", after");
        case OperandKind::options: {
            std::string out = "codes";
            for (const std::uint16_t code : snapshot.option_codes[i.operand])
                out += " " + std::to_string(code);
            return out;
        }
        case OperandKind::ecs:
            return ecs_text(snapshot.ecs_handlers[i.operand]);
        case OperandKind::redirect:
            return std::to_string(i.operand) + ", names " +
                   std::to_string(snapshot.redirects[i.operand].names.size());
        case OperandKind::reverse:
            return snapshot.reverse[i.operand].tag + (has_trait(i.op, op_traits::kBranches)
                                                          ? ", then " + std::to_string(i.target)
                                                          : "");
        case OperandKind::ttl_limits: {
            const dns::TtlLimits& limits = snapshot.ttl_limits[i.operand];
            return "to " + std::to_string(limits.least_s) + ".." +
                   (limits.most_s == UINT32_MAX ? "" : std::to_string(limits.most_s));
        }
        case OperandKind::answer_table:
            return std::to_string(i.operand) + ", names " +
                   std::to_string(snapshot.answer_tables[i.operand].names.size());
        case OperandKind::black_hole:
        case OperandKind::live_answers:
            return std::to_string(i.operand);
        case OperandKind::rcode:
            return "rcode " + std::to_string(i.operand);
        case OperandKind::instance:
            return "of " + std::to_string(i.instance);
        case OperandKind::none:
            return {};
    }
    return {};
}

}  // namespace

void dump_program(const Snapshot& snapshot, std::ostream& out) {
    for (std::size_t pc = 0; pc < snapshot.program.size(); ++pc) {
        const Instruction& i = snapshot.program[pc];
        const auto entry = std::ranges::find(snapshot.entries, pc);
        if (snapshot.has_several_entries() && entry != snapshot.entries.end())
            out << "entry " << entry - snapshot.entries.begin() << ":\n";
        std::string text(traits_of(i.op).name);
        if (i.negate) text += " not";
        if (const std::string operand = operand_text(snapshot, i); !operand.empty())
            text += " " + operand;
        if (i.short_circuit) text += ", short_circuit";
        if (i.policed) text += ", hits run what follows";
        if (is_test(i.op)) text += ", else " + std::to_string(i.target);
        out << std::setw(5) << pc << (i.in_prefix ? "* " : "  ") << text;
        if (i.line > 0) out << "  # line " << i.line;
        out << '\n';
    }
    if (snapshot.plans_by_name) {
        out << "first cache: as the sets of the name say\n";
        return;
    }
    for (std::size_t entry = 0; entry < snapshot.entries.size(); ++entry) {
        const Plan& plan = snapshot.plans[entry];
        if (plan.cache < 0) continue;
        out << "first cache" << (entry > 0 ? " of entry " + std::to_string(entry) : "") << ": "
            << snapshot.caches[static_cast<std::size_t>(plan.cache)].tag << '\n';
    }
}

}  // namespace steer::build
