#include "control/program/build/limit_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "control/program/build/address_sets.h"

namespace steer::build {
namespace {

// The settings have the names of the dataplane, in its order.
#define STEER_LIMIT_SAME(name, ...) \
    static_assert(static_cast<int>(config::LimitKind::name) == static_cast<int>(LimitWhat::name));
STEER_LIMIT_KINDS(STEER_LIMIT_SAME)
#undef STEER_LIMIT_SAME
#define STEER_LIMIT_SAME(name)                                   \
    static_assert(static_cast<int>(config::LimitAction::name) == \
                  static_cast<int>(LimitAction::name));
STEER_LIMIT_ACTIONS(STEER_LIMIT_SAME)
#undef STEER_LIMIT_SAME

AddressSet addresses_of(const config::Settings& settings, const config::LimitClients& clients,
                        Registry& registry) {
    return address_set(settings, clients.prefixes, clients.sets, registry);
}

// Of a row's keys: the same as long as they count the same.
std::uint64_t salt_of(const config::Limit& limit) {
    std::uint64_t h = 0xcbf29ce484222325;  // FNV-1a
    const auto add = [&](std::uint64_t byte) { h = (h ^ byte) * 0x100000001b3; };
    for (const char c : limit.name)
        add(static_cast<unsigned char>(c));
    add(static_cast<std::uint64_t>(limit.kind));
    add(limit.prefix4);
    add(limit.prefix6);
    return h;
}

std::vector<LimitListener> listeners_of(const config::Settings& settings,
                                        const config::Limit& limit) {
    std::vector<LimitListener> out;
    for (const config::PluginIndex index : limit.listeners) {
        const config::Plugin& plugin = settings.plugin(index);
        const config::Server* const server = config::server_of(plugin);
        if (server == nullptr) continue;
        out.push_back({server->listen.address, server->listen.port,
                       config::stream_server_of(plugin) == nullptr});
    }
    return out;
}

std::string number_text(double number) {
    std::array<char, 32> text{};
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    return {text.data(), end};
}

}  // namespace

std::shared_ptr<const LimitPolicy> limit_policy(const config::Settings& settings,
                                                Registry& registry, std::vector<Error>& errors) {
    if (settings.limits.empty()) return nullptr;
    auto policy = std::make_shared<LimitPolicy>();
    for (const config::Limit& limit : settings.limits) {
        const auto id = registry.limit(limit.name);
        if (!id) {
            errors.push_back(settings.error(limit.line, id.error().text));
            return nullptr;
        }
        LimitRow row;
        row.name = limit.name;
        row.id = *id;
        row.what = static_cast<LimitWhat>(limit.kind);
        row.action = static_cast<LimitAction>(limit.action);
        row.dry_run = limit.dry_run;
        row.prefix4 = static_cast<std::uint8_t>(limit.prefix4);
        row.prefix6 = static_cast<std::uint8_t>(limit.prefix6);
        row.slip = static_cast<std::uint8_t>(limit.slip);
        row.leak = static_cast<std::uint8_t>(limit.leak);
        row.ban_ms = static_cast<std::uint32_t>(limit.ban.count());
        row.per_s = limit.rate;
        row.rate = LimitRate::of(limit.rate, limit.burst);
        row.burst = limit.burst;
        row.rate.period = std::max<std::uint8_t>({row.slip, row.leak, 1});
        row.salt = salt_of(limit);
        row.listeners = listeners_of(settings, limit);
        if (!limit.clients.empty()) row.clients = addresses_of(settings, limit.clients, registry);
        if (!limit.except.empty()) row.except = addresses_of(settings, limit.except, registry);
        policy->add(std::move(row));
    }
    policy->trusted_prefixes = settings.dataplane.trusted_forwarders;
    policy->trusted = matchers::PrefixSet(settings.dataplane.trusted_forwarders);
    policy->set_tables(registry.limit_tables(settings.dataplane.limits_bytes,
                                             settings.dataplane.workers,
                                             settings.control.stream_threads));
    return policy;
}

std::string text_of(const LimitRow& row) {
    const LimitFact& fact = fact_of(row.what);
    std::string out = number_text(row.per_s) + " " + std::string(fact.unit) + ", burst " +
                      number_text(row.burst) + ", by " + std::string(fact.key);
    if (row.prefix4 != 0 || row.prefix6 != 0) {
        out += " (/" + std::to_string(row.prefix4) + ", IPv6 /" + std::to_string(row.prefix6) + ")";
    }
    if (row.ban_ms != 0) out += ", ban after " + number_text(row.ban_ms / 1000.0) + " s";
    return out + (row.dry_run ? ", dry run" : "");
}

}  // namespace steer::build
