#include "control/program/reload/connection_plan.h"

#include <algorithm>
#include <variant>

#include "control/host/process/descriptor_limit.h"

namespace steer {
namespace {

using stream::standing_bytes_of;

// Measured: 57 with one worker, one streams thread and one interface.
constexpr std::uint64_t kAtStart = 40, kPerWorker = 9, kPerStreamThread = 8, kPerServer = 2;
constexpr std::uint64_t kControlSessions = 32, kPageSessions = 256, kMetricsSessions = 64;
constexpr std::uint64_t kRound = 1024;  // of a number to write
// Fetches of lists, files of a reload, a dump, a capture, the history, and their helpers.
constexpr std::uint64_t kFiles = 24;
constexpr std::uint64_t kPerRouter = 4, kFleet = 6, kPerEngine = 4;

// Sockets of a streams thread for queries over UDP and TCP, where descriptors are plenty.
constexpr std::uint64_t kLeastUdp = 64, kMostUdp = 4096, kMostTcp = 256;
constexpr std::uint64_t kUdpPart = 8;  // an eighth of the descriptors

constexpr std::uint64_t kStandingPart = 8, kHeldPart = 16;  // of the memory

std::uint64_t part_of(std::uint64_t number, std::uint64_t numerator, std::uint64_t denominator) {
    return number / denominator * numerator;
}

std::uint64_t engines_of(const config::Settings& settings) {
    std::uint64_t engines = 0;
    for (const config::Plugin& plugin : settings.plugins) {
        const auto* const forward = std::get_if<config::Forward>(&plugin.args);
        if (forward != nullptr && forward->recursion) engines += forward->upstreams.size();
    }
    return engines;
}

std::uint64_t later_files(const ConnectionNeeds& needs, std::uint64_t files) {
    // Each thread has one that it accepts; one may be taken beyond (ClientBudget).
    std::uint64_t later = needs.later + needs.threads + 1;
    if (needs.has_page) later += sessions_within(kPageSessions, files);
    if (needs.has_metrics) later += sessions_within(kMetricsSessions, files);
    return later;
}

void plan_files(const ConnectionNeeds& needs, ConnectionPlan& plan) {
    const std::uint64_t rest = plan.files - std::min(plan.files, needs.at_start);
    const std::uint64_t threads = needs.threads;
    const std::uint64_t udp =
        std::clamp<std::uint64_t>(plan.files / kUdpPart / threads, kLeastUdp, kMostUdp);
    const std::uint64_t all_upstreams = threads * (udp + kMostTcp + needs.pooled);
    const std::uint64_t later = later_files(needs, plan.files);
    plan.upstreams.udp = udp;
    plan.upstreams.tcp = kMostTcp;
    plan.kept_files = needs.at_start + later + all_upstreams;
    if (rest >= later + all_upstreams + needs.connections) return;
    const std::uint64_t upstreams = std::min({all_upstreams, part_of(plan.files, 3, 8), rest / 2});
    if (upstreams < all_upstreams) {
        const std::uint64_t each = upstreams / threads;
        const std::uint64_t pooled = needs.pools == 0 ? 0 : std::min(needs.pooled, each * 3 / 8);
        plan.upstreams.tcp = std::clamp<std::uint64_t>(each / 8, 2, kMostTcp);
        plan.upstreams.udp = std::clamp<std::uint64_t>(each - pooled - plan.upstreams.tcp, 4, udp);
        if (needs.pools != 0)
            plan.upstreams.pooled = std::max<std::uint64_t>(pooled / needs.pools, 1);
    }
    const std::uint64_t kept = later + upstreams;
    // TCP stays possible, and then the oldest query of our own makes room.
    const std::uint64_t left = std::max({rest - std::min(rest, kept), rest / 8, std::uint64_t{1}});
    plan.kept_files = needs.at_start + kept;
    if (left < needs.connections) plan.by_files = left;
}

void plan_memory(const ConnectionNeeds& needs, ConnectionPlan& plan) {
    if (plan.memory_bytes == 0) return;
    plan.clients.standing_bytes = plan.memory_bytes / kStandingPart;
    plan.clients.held_bytes = plan.memory_bytes / kHeldPart;
    if (needs.standing_bytes <= plan.clients.standing_bytes) return;
    const double part = static_cast<double>(plan.clients.standing_bytes) /
                        static_cast<double>(needs.standing_bytes);
    plan.by_memory = static_cast<std::uint64_t>(part * static_cast<double>(needs.connections));
}

}  // namespace

ConnectionNeeds connection_needs(const config::Settings& settings,
                                 const build::Channels& channels) {
    ConnectionNeeds needs;
    needs.threads = settings.control.stream_threads;
    const auto add = [&needs](const config::StreamServer& server) {
        const std::uint64_t most = server.max_connections;
        needs.connections += most;
        needs.standing_bytes += most * standing_bytes_of(server.protocol, !server.tls.cert.empty());
    };
    bool has_server = false;
    for (const config::Plugin& plugin : settings.plugins) {
        has_server = has_server || config::server_of(plugin) != nullptr;
        const auto* const server = config::stream_server_of(plugin);
        if (server != nullptr && !config::is_over_quic(server->protocol)) add(*server);
    }
    if (!has_server) add({});  // port 53 over UDP and TCP (build::Built::listeners)
    for (const auto& target : channels) {
        const auto scheme = target->fallback.value_or(target->scheme);
        const auto& facts = config::facts_of(scheme);
        if (!facts.has_connections || facts.is_over_quic) continue;
        ++needs.pools;
        needs.pooled += target->max_conns;
    }
    const std::uint64_t workers =
        std::max<std::uint64_t>(settings.dataplane.cores.size(), settings.dataplane.workers);
    needs.at_start = kAtStart + workers * kPerWorker + needs.threads * kPerStreamThread +
                     settings.plugins.size() / 4 + settings.dataplane.ports.size() * kPerServer;
    needs.later = kControlSessions + kFiles;
    needs.has_page = settings.control.rpc.has_value();
    needs.has_metrics = settings.control.http.has_value();
    needs.later += (settings.routers.size() + settings.opnsense.size()) * kPerRouter;
    needs.later += settings.fleet.name.empty() ? 0 : kFleet;
    needs.later += engines_of(settings) * kPerEngine * needs.threads;
    return needs;
}

std::uint64_t enough_files(const ConnectionNeeds& needs) {
    const std::uint64_t threads = needs.threads;
    const std::uint64_t all = needs.at_start + later_files(needs, UINT64_MAX) +
                              threads * (kMostTcp + needs.pooled) + needs.connections;
    const std::uint64_t with_udp =
        std::max(std::min(all * kUdpPart / (kUdpPart - 1), all + threads * kMostUdp),
                 all + threads * kLeastUdp);
    return (with_udp / kRound + 1) * kRound;
}

ConnectionPlan plan_connections(const ConnectionNeeds& needs, std::uint64_t files,
                                std::uint64_t memory_bytes) {
    ConnectionPlan plan;
    plan.files = files;
    plan.memory_bytes = memory_bytes;
    plan.wanted = needs.connections;
    plan.enough_files = enough_files(needs);
    plan_files(needs, plan);
    plan_memory(needs, plan);
    if (plan.by_files) plan.clients.places = static_cast<unsigned>(*plan.by_files);
    if (plan.by_files || plan.by_memory) {
        const std::uint64_t in_force =
            std::min(plan.by_files.value_or(plan.wanted), plan.by_memory.value_or(plan.wanted));
        plan.clients.places_per_client =
            static_cast<unsigned>(std::max<std::uint64_t>(in_force / 2, 1));
    }
    return plan;
}

std::string lack_of_files(const ConnectionPlan& plan) {
    if (!plan.by_files) return {};
    const std::string enough = std::to_string(plan.enough_files);
    return "clients can have " + std::to_string(*plan.by_files) + " connections in all, not the " +
           std::to_string(plan.wanted) + " of `max_connections`: this process may open " +
           std::to_string(plan.files) + " files and keeps " + std::to_string(plan.kept_files) +
           " for itself; write LimitNOFILE=" + enough + " in its unit, or `ulimit -n " + enough +
           "`, or lower max_connections";
}

std::string lack_of_memory(const ConnectionPlan& plan) {
    if (!plan.by_memory) return {};
    return "clients can have about " + std::to_string(*plan.by_memory) +
           " connections in all, not the " + std::to_string(plan.wanted) +
           " of `max_connections`: they have an eighth of the " +
           std::to_string(plan.memory_bytes >> 20) +
           " MiB of memory; give more (MemoryMax= of its unit), or lower max_connections";
}

}  // namespace steer
