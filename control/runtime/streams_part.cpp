#include "control/runtime/streams_part.h"

#include <malloc.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "control/api/metrics/process_facts.h"
#include "control/api/metrics/report_table.h"
#include "control/host/process/descriptor_limit.h"
#include "control/host/process/files_as.h"
#include "control/parts.h"
#include "dataplane/port/eal.h"

namespace steer {

using boost::json::array;
using boost::json::object;

namespace {

constexpr std::uint64_t kRecentMs = 60'000;
// Descriptors that parts after this one open at the start.
constexpr std::uint64_t kOpenedByOthers = 8;

}  // namespace

Parts::Maker streams_part() {
    return Parts::maker<StreamsPart>();
}

StreamsPart::StreamsPart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      configuration_(needs.get<Configuration>()),
      events_(needs.get<Events>()),
      ports_(needs.get<PortsPart>()),
      workers_(needs.get<WorkersPart>()),
      network_(needs.get<NetworkPart>()) {}

Result<void> StreamsPart::start() {
    threads_ = std::make_unique<StreamThreads>(
        workers_.runtime(), main_.clock(), main_.io(), settings_.get().quic.secret,
        [this](const std::string& sentence) {
            if (!sentence.starts_with("upstream ")) return spdlog::warn("{}", sentence);
            const bool is_good = sentence.find(" can be asked again") != std::string::npos;
            events_.tell(ops::EventKind::upstream,
                         is_good ? ops::EventLevel::info : ops::EventLevel::warning, sentence);
        });
    const auto follow_network = [this] {
        threads_->set_vrfs(network_.vrfs());
        threads_->set_copying_interfaces(network_.copying_interfaces());
    };
    follow_network();
    network_.on_change([this, follow_network] {
        follow_network();
        threads_->set_service_addresses(network_.service_addresses());
    });
    network_.on_any_change([this] { threads_->network_changed(); });
    channels_ = configuration_.built().channels;
    const FilesAs files(settings_.user(), sources_of(settings_.get()));
    threads_->set_upstreams(channels_);
    return threads_->listen(configuration_.built().listeners, network_.service_addresses(),
                            ports_.set().any_frames());
}

// As root, which alone may count them in every case.
Result<void> StreamsPart::open() {
    open_at_start_ = ops::process_facts().open_files;
    return {};
}

void StreamsPart::serve() {
    plan_connections_of(settings_.get(), channels_);
    threads_->start();
    share_cpus();
}

void StreamsPart::plan_connections_of(const config::Settings& settings,
                                      const build::Channels& channels) {
    ConnectionNeeds needs = connection_needs(settings, channels);
    if (open_at_start_) needs.at_start = *open_at_start_ + kOpenedByOthers;
    plan_ = plan_connections(needs, descriptor_limit().value_or(UINT64_MAX),
                             read_memory_facts().total_bytes);
    threads_->limit_sockets(plan_.clients, plan_.upstreams);
    const std::string lacks[] = {lack_of_files(plan_), lack_of_memory(plan_)};
    if (const std::string all = lacks[0] + lacks[1]; std::exchange(reported_, all) == all) return;
    for (const std::string& lack : lacks)
        if (!lack.empty()) spdlog::warn("{}", lack);
}

void StreamsPart::follow(const config::Settings& settings, build::Built& built) {
    plan_connections_of(settings, built.channels);
    share_cpus();
}

void StreamsPart::poll() {
    const auto& taken = threads_->client_budget();
    if (heap_trim_.is_due(taken.standing_bytes() + taken.held_bytes(), main_.now_ms()))
        ::malloc_trim(0);
    refused_.see(sum_of(StreamCount::tcp_over_process_limit) +
                     sum_of(StreamCount::tcp_made_process_room) + sum_of(StreamCount::tcp_unread),
                 main_.now_ms());
    without_descriptor_.see(sum_of(StreamCount::upstream_no_descriptor), main_.now_ms());
}

void StreamsPart::Watched::see(std::uint64_t now, std::uint64_t now_ms) {
    if (std::exchange(seen, now) != now) moved_ms = now_ms;
}

bool StreamsPart::is_recent(const Watched& watched) const {
    return watched.moved_ms && main_.now_ms() - *watched.moved_ms < kRecentMs;
}

bool StreamsPart::lacks_descriptors() const {
    return is_recent(without_descriptor_);
}

std::uint64_t StreamsPart::sum_of(StreamCount count) const {
    std::uint64_t sum = 0;
    for (unsigned t = 0; t < threads_->count(); ++t)
        sum += threads_->counters(t).get(count);
    return sum;
}

// Whether or not the configuration is refused: certificates expire on their own dates.
void StreamsPart::read_again(const config::Settings&, const build::Built* built,
                             std::vector<Error>& warnings) {
    for (Error& error :
         threads_->renew(built != nullptr ? built->listeners : std::vector<build::Listener>{}))
        warnings.push_back(std::move(error));
    const auto now_s = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    for (const auto& certificate : threads_->certificates()) {
        if (auto error = stream::validity_error(certificate, now_s); !error.empty())
            warnings.push_back(Error{std::move(error)});
    }
}

void StreamsPart::prepare(const build::Built& built) {
    channels_.insert(channels_.end(), built.channels.begin(), built.channels.end());
    threads_->set_upstreams(channels_);
}

void StreamsPart::forget_earlier() {
    const auto& upstreams = workers_.snapshot().upstreams;
    std::erase_if(channels_, [&](const auto& channel) {
        return std::ranges::find(upstreams, channel->id, &Upstream::id) == upstreams.end();
    });
    threads_->set_upstreams(channels_);
}

void StreamsPart::share_cpus() {
    threads_->run_beside_engines(
        std::ranges::any_of(workers_.snapshot().upstreams, &Upstream::is_engine));
}

void StreamsPart::drain(bool is_draining) {
    threads_->set_draining(is_draining);
}

void StreamsPart::stop() {
    if (threads_) threads_->stop();
}

// Of all threads of steerdns-quic, which report it each second.
std::uint64_t StreamsPart::quic_memory() const {
    std::uint64_t bytes = 0;
    for (unsigned t = 0; t < threads_->count(); ++t)
        bytes += threads_->quic(t).memory_bytes.load(std::memory_order_relaxed);
    return bytes;
}

void StreamsPart::add_status(object& all) {
    all["connections"] = threads_->connections();
    all["descriptors"] = object{{"limit", plan_.files}, {"kept", plan_.kept_files}};
    if (plan_.by_files || plan_.by_memory)
        all["connection_limit"] =
            std::min(plan_.by_files.value_or(plan_.wanted), plan_.by_memory.value_or(plan_.wanted));
    const QuicHost& quic = threads_->quic();
    if (!quic.is_needed()) return;
    all["quic"] = object{{"running", quic.is_running()},
                         {"restarts", quic.restarts()},
                         {"memory_bytes", quic_memory()},
                         {"memory_limit_bytes", quic.most_memory()}};
    if (!quic.error().empty()) all["quic"].as_object()["trouble"] = quic.error();
}

void StreamsPart::add_counters(object& all) {
    array streams;
    for (unsigned t = 0; t < threads_->count(); ++t) {
        object named;
        ops::add_counts(named, kStreamCounts, threads_->counters(t));
        streams.push_back(std::move(named));
    }
    all["streams"] = std::move(streams);
    if (!threads_->quic().is_needed()) return;
    array quic;
    for (unsigned t = 0; t < threads_->count(); ++t) {
        object named;
        ops::add_counts(named, quic::kQuicCounts, threads_->quic(t).counters);
        quic.push_back(std::move(named));
    }
    all["quic"] = std::move(quic);
}

void StreamsPart::write_metrics(ops::MetricWriter& writer) {
    for (const auto& [transport, open] : threads_->connections_by_transport()) {
        writer.family("steerdns_connections");
        writer.sample({{"transport", transport}}, std::uint64_t{open});
    }
    std::vector<unsigned> threads(threads_->count());
    std::iota(threads.begin(), threads.end(), 0U);
    const auto sample = [](ops::MetricWriter& out, unsigned t, auto number) {
        out.sample({{"thread", std::to_string(t)}}, number);
    };
    ops::write_counts(
        writer, "steerdns_stream_", kStreamCounts,
        threads, [this](unsigned t) -> const auto& { return threads_->counters(t); }, sample);
    if (!threads_->quic().is_needed()) return;
    writer.family("steerdns_quic_process_running");
    writer.sample({}, std::uint64_t{threads_->quic().is_running() ? 1U : 0U});
    writer.family("steerdns_quic_process_restarts");
    writer.sample({}, threads_->quic().restarts());
    writer.family("steerdns_quic_memory_bytes");
    writer.sample({}, quic_memory());
    writer.family("steerdns_quic_memory_limit_bytes");
    writer.sample({}, threads_->quic().most_memory());
    ops::write_counts(
        writer, "steerdns_quic_", quic::kQuicCounts,
        threads, [this](unsigned t) -> const auto& { return threads_->quic(t).counters; }, sample);
}

void StreamsPart::add_problems(Problems& problems) {
    const QuicHost& quic = threads_->quic();
    if (quic.is_needed() && !quic.error().empty())
        problems.push_back({"quic", quic.error() + "; see the log"});
    if (is_recent(refused_)) {
        for (const std::string& lack : {lack_of_files(plan_), lack_of_memory(plan_)})
            if (!lack.empty()) problems.push_back({"connections", lack});
    }
    if (lacks_descriptors())
        problems.push_back({"descriptors",
                            "queries to upstreams found no free file descriptor: this process may "
                            "open " +
                                std::to_string(plan_.files) +
                                "; write LimitNOFILE=65536 in its unit, or `ulimit -n 65536`"});
}

}  // namespace steer
