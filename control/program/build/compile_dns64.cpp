// Compiler: dns64. It tests clients and names, answers special names itself, and has wrappers.
#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "control/config/text/dns_names.h"
#include "control/program/build/compile.h"
#include "control/program/build/ranges.h"
#include "dataplane/dns/name.h"

namespace steer::build {
namespace {

constexpr std::string_view kIpv4OnlyName = "ipv4only.arpa";
constexpr std::array<std::array<std::uint8_t, 4>, 2> kIpv4OnlyAddresses{
    {{192, 0, 0, 170}, {192, 0, 0, 171}}};  // RFC 7050 8.2
constexpr std::uint32_t kIpv4OnlyTtl = 86'400;

config::RuleAt full(std::string name) {
    return {{matchers::RuleKind::full, std::move(name)}, 0, 0, 0};
}

// The PTR names of all addresses in a prefix of whole bytes.
config::RuleAt names_behind(const dns::Pref64& p) {
    return domain(config::pointer_name_v6(std::span(p.prefix).first(p.length / 8U)));
}

bool is_well_known(const dns::Pref64& p) {
    return p.length == dns::kWellKnownPref64.length && p.prefix == dns::kWellKnownPref64.prefix;
}

steer::Dns64 dns64_of(const config::Dns64& args) {
    constexpr unsigned kMappedBits = 96;  // ::ffff:0:0/96, which is all of IPv4
    steer::Dns64 out;
    out.translate_all = args.translate_all;
    out.by_family = !args.allow_ipv4;
    const std::array<std::uint8_t, 4> any{};
    // What a person writes adds to a default; [] takes it away.
    std::vector<matchers::Prefix> uncounted =
        args.exclude.value_or(std::vector<matchers::Prefix>{});
    if (!args.exclude || !uncounted.empty())
        uncounted.push_back({IpAddress::from_v4(any.data()), kMappedBits});
    out.uncounted = matchers::PrefixSet(uncounted);
    for (const config::Dns64Prefix& p : args.prefixes) {
        std::vector<matchers::Prefix> except;
        const bool has_defaults = !args.exclude_ipv4 || !args.exclude_ipv4->empty();
        if (has_defaults && is_well_known(p.prefix)) except = special_ranges();
        if (args.exclude_ipv4)
            except.insert(except.end(), args.exclude_ipv4->begin(), args.exclude_ipv4->end());
        out.prefixes.push_back(
            {p.prefix, matchers::PrefixSet(p.ipv4), matchers::PrefixSet(except)});
    }
    return out;
}

}  // namespace

const Compiler::CompiledDns64& Compiler::dns64_of(config::PluginIndex index,
                                                  const config::Dns64& args) {
    const auto [at, fresh] = dns64s_.try_emplace(index);
    CompiledDns64& out = at->second;
    if (!fresh) return out;
    out.place = static_cast<std::uint32_t>(snapshot_.dns64s.size());
    snapshot_.dns64s.push_back(build::dns64_of(args));
    snapshot_.dns64s.push_back(snapshot_.dns64s.back());
    snapshot_.dns64s.back().translate_all = false;
    std::vector<config::RuleAt> pointers, special{full(std::string(kIpv4OnlyName))};
    for (const config::Dns64Prefix& p : args.prefixes)
        pointers.push_back(names_behind(p.prefix));
    for (const auto& address : kIpv4OnlyAddresses)
        special.push_back(full(config::pointer_name_v4(address)));
    out.pointers = masks_.mask_of(pointers);
    out.special = masks_.mask_of(special);
    if (!args.except.empty()) out.except = masks_.mask_of(args.except);
    if (args.translate_all && !args.keep.empty()) out.keep = masks_.mask_of(args.keep);
    out.answers = ipv4only_table(&snapshot_.dns64s[out.place]);
    out.v4_answers = ipv4only_table(nullptr);
    out.nothing = static_cast<std::uint32_t>(snapshot_.black_holes.size());
    snapshot_.black_holes.push_back(known_.black_hole({.mode = config::BlackHoleMode::nodata}));
    return out;
}

void Compiler::dns64(config::PluginIndex index, const config::Dns64& args, int line,
                     std::uint16_t instance, unsigned& depth) {
    const CompiledDns64& known = dns64_of(index, args);
    answer_ipv4only(args, known, line, instance);
    const std::uint16_t is_pointer = emit(Op::if_tags, instance, line, known.pointers);
    enter(Op::enter_pointer64, instance, line, known.place, depth);
    --depth;  // one of the two is entered at most
    if (too_long_) return;
    land({is_pointer});

    std::vector<std::uint16_t> fails;
    if (!args.allow_ipv4) fails.push_back(test_over_v6(line, instance));
    if (known.except) {
        fails.push_back(emit(Op::if_tags, instance, line, *known.except));
        if (!too_long_) snapshot_.program[fails.back()].negate = true;
    }
    if (known.keep) {
        const std::uint16_t keeps = emit(Op::if_tags, instance, line, *known.keep);
        emit(Op::enter_dns64, instance, line, known.place + 1);
        fails.push_back(emit(Op::go_to, instance, line));
        if (too_long_) return;
        land({keeps});
    }
    enter(Op::enter_dns64, instance, line, known.place, depth);
    if (!too_long_) land(fails);
}

// Holds for clients that ask over IPv6.
std::uint16_t Compiler::test_over_v6(int line, std::uint16_t instance) {
    if (!v4_clients_) {
        v4_clients_ = static_cast<std::uint32_t>(snapshot_.prefix_sets.size());
        snapshot_.prefix_sets.emplace_back(
            std::vector{matchers::Prefix::parse("0.0.0.0/0").value()});
    }
    const std::uint16_t pc = emit(Op::if_client, instance, line, *v4_clients_);
    if (!too_long_) snapshot_.program[pc].negate = true;
    return pc;
}

// RFC 7050, 8880 7: how clients discover the prefix. A and PTR for all clients, AAAA for those that DNS64 serves.
void Compiler::answer_ipv4only(const config::Dns64& args, const CompiledDns64& known, int line,
                               std::uint16_t instance) {
    const std::uint16_t is_special = emit(Op::if_tags, instance, line, known.special);
    std::vector<std::uint16_t> fails;
    if (!args.allow_ipv4) fails.push_back(test_over_v6(line, instance));
    const auto answer = [&](std::uint32_t table) {
        const std::uint16_t pc = emit(Op::answer_table, instance, line, table);
        if (!too_long_) snapshot_.program[pc].short_circuit = true;
    };
    answer(known.answers);
    if (!too_long_) land(fails);
    if (!args.allow_ipv4) answer(known.v4_answers);
    const std::uint16_t rest = emit(Op::black_hole, instance, line, known.nothing);
    if (too_long_) return;
    snapshot_.program[rest].short_circuit = true;
    land({is_special});
}

// RFC 7050 7: each prefix that an address may get.
std::uint32_t Compiler::ipv4only_table(const steer::Dns64* dns64) {
    std::vector<IpAddress> v4, v6;
    for (const auto& address : kIpv4OnlyAddresses) {
        v4.push_back(IpAddress::from_v4(address.data()));
        for (std::size_t i = 0; dns64 != nullptr && i < dns64->prefixes.size(); ++i) {
            std::array<std::uint8_t, 16> made;
            dns64->prefixes[i].prefix.embed(address.data(), made.data());
            v6.push_back(IpAddress::from_v6(made.data()));
        }
    }
    AnswerTable table;
    matchers::NameValuesBuilder names;
    const auto add = [&](std::string name, std::vector<AnswerTable::Typed> answers) {
        names.add({matchers::RuleKind::full, std::move(name)},
                  static_cast<std::uint32_t>(table.values.size()));
        table.values.push_back({static_cast<std::uint32_t>(table.typed.size()),
                                static_cast<std::uint32_t>(answers.size())});
        table.typed.insert(table.typed.end(), answers.begin(), answers.end());
    };
    std::vector<AnswerTable::Typed> addresses{
        {dns::kA, dns::kIn, known_.of_addresses(false, v4, kIpv4OnlyTtl)}};
    if (!v6.empty())
        addresses.push_back({dns::kAaaa, dns::kIn, known_.of_addresses(true, v6, kIpv4OnlyTtl)});
    add(std::string(kIpv4OnlyName), addresses);
    config::KnownRecord pointer{dns::kPtr, dns::kIn, kIpv4OnlyTtl, {}};
    pointer.rdata = *dns::name_from_text(kIpv4OnlyName);
    const AnswerRef ptr = known_.of_records(dns::kPtr, dns::kIn, {pointer});
    for (const auto& address : kIpv4OnlyAddresses)
        add(config::pointer_name_v4(address), {{dns::kPtr, dns::kIn, ptr}});
    table.names = names.build(errors_);
    snapshot_.answer_tables.push_back(std::move(table));
    return static_cast<std::uint32_t>(snapshot_.answer_tables.size() - 1);
}

// Caches around a dns64 that depends on the client keep answers for both kinds of clients.
void Compiler::mark_family_keys(std::uint16_t entry, const std::vector<std::uint32_t>& around) {
    struct Entered {
        std::uint16_t instance;
        std::uint32_t cache;
    };
    std::vector<Entered> entered;
    entered.reserve(around.size() + kMaxWrappers);
    for (const std::uint32_t cache : around)
        entered.push_back({0, cache});
    const std::size_t outer = entered.size();
    for (std::size_t pc = entry; snapshot_.program[pc].op != Op::end; ++pc) {
        const Instruction& i = snapshot_.program[pc];
        if (i.op == Op::enter_cache) entered.push_back({i.instance, i.operand});
        while (i.op == Op::sequence_end && entered.size() > outer &&
               entered.back().instance >= i.instance)
            entered.pop_back();
        const bool tells_apart = i.op == Op::enter_dns64 && snapshot_.dns64s[i.operand].by_family;
        const std::uint16_t probe = probe_of(i);
        if (!tells_apart && i.op != Op::fallback && probe == 0) continue;
        std::vector<std::uint32_t> caches;
        caches.reserve(entered.size());
        for (const Entered& e : entered)
            caches.push_back(e.cache);
        if (i.op == Op::fallback) {
            const Fallback f = snapshot_.fallbacks[i.operand];
            mark_family_keys(f.primary, caches);
            mark_family_keys(f.secondary, caches);
            continue;
        }
        if (probe != 0) {
            mark_family_keys(probe, caches);
            continue;
        }
        for (const std::uint32_t cache : caches)
            snapshot_.caches[cache].family_in_key = snapshot_.family_in_key = true;
    }
}

}  // namespace steer::build
