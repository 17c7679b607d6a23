// A program as text: pc (with * in the pure prefix), instruction, what it refers to, the line that it came from.
#include <algorithm>
#include <array>
#include <charconv>
#include <iomanip>
#include <ostream>
#include <span>
#include <sstream>

#include "control/build/build.h"

namespace steer::build {
namespace {

std::string qps_text(double qps) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.begin(), text.end(), qps, std::chars_format::fixed).ptr;
    return {text.begin(), end};
}

std::string_view name_of(Op op) {
    switch (op) {
        case Op::if_tags:
            return "if_tags";
        case Op::if_has_resp:
            return "if_has_resp";
        case Op::if_true:
            return "if_true";
        case Op::if_marks:
            return "if_marks";
        case Op::if_type:
            return "if_type";
        case Op::if_class:
            return "if_class";
        case Op::if_rcode:
            return "if_rcode";
        case Op::if_response_address:
            return "if_response_address";
        case Op::if_cname:
            return "if_cname";
        case Op::if_wanted_answer:
            return "if_wanted_answer";
        case Op::if_client:
            return "if_client";
        case Op::if_name_address:
            return "if_name_address";
        case Op::if_text:
            return "if_text";
        case Op::if_random:
            return "if_random";
        case Op::if_rate:
            return "if_rate";
        case Op::mark:
            return "mark";
        case Op::go_to:
            return "go_to";
        case Op::forward:
            return "forward";
        case Op::sleep:
            return "sleep";
        case Op::fallback:
            return "fallback";
        case Op::enter_prefer:
            return "enter_prefer";
        case Op::enter_dns64:
            return "enter_dns64";
        case Op::static_records:
            return "static_records";
        case Op::enter_rpz:
            return "enter_rpz";
        case Op::ad_list:
            return "ad_list";
        case Op::enter_pointer64:
            return "enter_pointer64";
        case Op::enter_cache:
            return "enter_cache";
        case Op::enter_list:
            return "enter_list";
        case Op::enter_summary:
            return "enter_summary";
        case Op::debug_print:
            return "debug_print";
        case Op::raise:
            return "raise";
        case Op::answer_pointer:
            return "answer_pointer";
        case Op::enter_reverse:
            return "enter_reverse";
        case Op::enter_collector:
            return "enter_collector";
        case Op::enter_redirect:
            return "enter_redirect";
        case Op::enter_ecs:
            return "enter_ecs";
        case Op::enter_options:
            return "enter_options";
        case Op::claim_list:
            return "claim_list";
        case Op::drop_response:
            return "drop_response";
        case Op::limit_ttls:
            return "limit_ttls";
        case Op::black_hole:
            return "black_hole";
        case Op::answer_table:
            return "answer_table";
        case Op::live_answers:
            return "live_answers";
        case Op::reject:
            return "reject";
        case Op::drop:
            return "drop";
        case Op::stop:
            return "stop";
        case Op::sequence_end:
            return "sequence_end";
        case Op::end:
            return "end";
    }
    return "?";
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

std::string text_match_text(const TextMatch& match) {
    constexpr std::string_view kOf[] = {"client_ip", "resp_ip", "mark"};
    std::string out(kOf[static_cast<std::size_t>(match.of)]);
    out.append(" ").append(matchers::name_of(match.test.operation()));
    for (const std::string& word : match.test.words())
        out.append(" ").append(word);
    return out;
}

std::string operand_text(const Snapshot& snapshot, const Instruction& i) {
    switch (i.op) {
        case Op::if_tags:
        case Op::if_cname:
            return sets_text(snapshot.tag_masks[i.operand]);
        case Op::if_type:
        case Op::if_class:
        case Op::if_rcode: {
            std::string out;
            constexpr std::size_t kMostShown = 32;
            const auto& numbers = snapshot.number_sets[i.operand];
            for (const std::uint16_t number :
                 std::span(numbers).first(std::min(numbers.size(), kMostShown)))
                out += (out.empty() ? "" : ",") + std::to_string(number);
            if (numbers.size() > kMostShown) out += ",... (" + std::to_string(numbers.size()) + ")";
            return out;
        }
        case Op::if_text:
            return text_match_text(snapshot.text_matches[i.operand]);
        case Op::if_client:
        case Op::if_response_address:
        case Op::if_name_address:
            return "prefixes " + std::to_string(i.operand);
        case Op::if_random:
            return std::to_string(i.operand) + " of 2^32";
        case Op::if_rate: {
            const RateLimit& limit = snapshot.rate_limiters[i.operand].limit();
            return qps_text(limit.qps) + "/s, burst " + std::to_string(limit.burst) + ", of /" +
                   std::to_string(limit.mask4) + " and /" + std::to_string(limit.mask6);
        }
        case Op::go_to:
            return std::to_string(i.target);
        case Op::if_marks:
        case Op::mark: {
            std::ostringstream out;
            out << "bits 0x" << std::hex << snapshot.mark_masks[i.operand];
            return out.str();
        }
        case Op::forward:
            return group_text(snapshot, snapshot.groups[i.operand]);
        case Op::sleep:
            return std::to_string(i.operand) + " ms";
        case Op::static_records:
            return std::to_string(i.operand) + ", deeds " +
                   std::to_string(snapshot.statics[i.operand].does.size());
        case Op::enter_rpz: {
            const Rpz& rpz = snapshot.rpzs[i.operand];
            std::string out = rpz.tag;
            for (const Rpz::Zone& zone : rpz.zones)
                out += ", " + zone.name + " (" + std::to_string(zone.rules) + " triggers)";
            return out;
        }
        case Op::ad_list:
            return snapshot.ad_lists[i.operand].tag + ", paused " + std::to_string(i.target);
        case Op::enter_dns64:
        case Op::enter_pointer64:
            return std::to_string(i.operand) +
                   (snapshot.dns64s[i.operand].translate_all ? ", all" : "");
        case Op::enter_prefer:
            return snapshot.prefers[i.operand].wanted == 1 ? "A" : "AAAA";
        case Op::fallback: {
            const Fallback& f = snapshot.fallbacks[i.operand];
            return std::to_string(f.primary) + ", after " + std::to_string(f.threshold_ms) +
                   " ms " + std::to_string(f.secondary) + (f.always_standby ? ", standby" : "");
        }
        case Op::enter_cache:
            return snapshot.caches[i.operand].tag;
        case Op::enter_list:
        case Op::claim_list:
            return snapshot.lists[i.operand].tag;
        case Op::enter_summary:
        case Op::debug_print:
            return "'" + snapshot.texts[i.operand] + "'";
        case Op::answer_pointer:
            return snapshot.reverse[i.operand].tag + ", then " + std::to_string(i.target);
        case Op::raise:
            return snapshot.task_tags[i.operand];
        case Op::enter_collector:
            return snapshot.collectors[i.operand]->name();
        case Op::enter_options: {
            std::string out = "codes";
            for (const std::uint16_t code : snapshot.option_codes[i.operand])
                out += " " + std::to_string(code);
            return out;
        }
        case Op::enter_ecs:
            return ecs_text(snapshot.ecs_handlers[i.operand]);
        case Op::enter_redirect:
            return std::to_string(i.operand) + ", names " +
                   std::to_string(snapshot.redirects[i.operand].names.size());
        case Op::enter_reverse:
            return snapshot.reverse[i.operand].tag;
        case Op::limit_ttls: {
            const dns::TtlLimits& limits = snapshot.ttl_limits[i.operand];
            return "to " + std::to_string(limits.least_s) + ".." +
                   (limits.most_s == UINT32_MAX ? "" : std::to_string(limits.most_s));
        }
        case Op::black_hole:
            return std::to_string(i.operand);
        case Op::answer_table:
            return std::to_string(i.operand) + ", names " +
                   std::to_string(snapshot.answer_tables[i.operand].names.size());
        case Op::live_answers:
            return std::to_string(i.operand);
        case Op::reject:
            return "rcode " + std::to_string(i.operand);
        case Op::sequence_end:
            return "of " + std::to_string(i.instance);
        case Op::if_has_resp:
        case Op::if_true:
        case Op::if_wanted_answer:
        case Op::drop_response:
        case Op::drop:
        case Op::stop:
        case Op::end:
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
        std::string text(name_of(i.op));
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
