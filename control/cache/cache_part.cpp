#include "control/cache/cache_part.h"

#include <spdlog/spdlog.h>

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>

#include "control/host/process/files_as.h"
#include "control/parts.h"
#include "dataplane/cache/cache.h"

namespace steer {

Parts::Maker cache_part() {
    return Parts::maker<CachePart>();
}

CachePart::CachePart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      configuration_(needs.get<Configuration>()),
      workers_(needs.get<WorkersPart>()) {}

// The caches of the snapshot in force, as their plugins have them.
std::vector<CacheOf> CachePart::caches_of(const config::Settings& settings) const {
    std::vector<CacheOf> caches;
    for (const auto& instance : workers_.snapshot().caches) {
        CacheOf one{.instance = instance.id, .tag = instance.tag};
        for (const auto& plugin : settings.plugins) {
            const auto* const args = std::get_if<config::Cache>(&plugin.args);
            if (args == nullptr || plugin.tag != instance.tag) continue;
            one.dump_file = args->dump_file;
            one.dump_interval = args->dump_interval;
        }
        caches.push_back(std::move(one));
    }
    return caches;
}

Result<void> CachePart::start() {
    if (workers_.runtime().shared().cache == nullptr) return {};
    service_ = std::make_unique<CacheService>(
        main_.io(), workers_.runtime(), main_.clock(), caches_of(settings_.get()),
        configuration_.registry().list_names(), [](bool warning, const std::string& s) {
            spdlog::log(warning ? spdlog::level::warn : spdlog::level::info, "{}", s);
        });
    const FilesAs files(settings_.user());
    service_->restore();
    return {};
}

void CachePart::add_methods(ops::Methods& methods) {
    if (!service_) return add_cache_methods(methods, std::nullopt);
    add_cache_methods(methods,
                      CacheMethods{*service_, *workers_.runtime().shared().cache,
                                   [this](std::uint16_t instance) { return lookups(instance); },
                                   main_.clock(), configuration_.sets(),
                                   [this](auto addresses, auto done) {
                                       forget_rows_(std::move(addresses), std::move(done));
                                   }});
}

CacheLookupSums CachePart::lookups(std::uint16_t instance) const {
    CacheLookupSums sums;
    const DataplaneRuntime& runtime = workers_.runtime();
    for (unsigned w = 0; w < runtime.workers(); ++w) {
        const CacheLookups& of = runtime.worker(w).counters().caches[instance];
        sums.hits += of.hits.get();
        sums.misses += of.misses.get();
        sums.stale += of.stale.get();
    }
    return sums;
}

// Of dumps.
void CachePart::add_dump_folders(std::vector<std::string>& folders) const {
    if (!service_) return;
    for (const CacheOf& one : service_->caches()) {
        if (!one.dump_file.empty())
            folders.push_back(std::filesystem::absolute(one.dump_file).parent_path().string());
    }
}

void CachePart::serve() {
    if (service_) service_->start();
}

void CachePart::follow(const config::Settings& settings, build::Built&) {
    if (!service_) return;
    cache::Cache& cache = *workers_.runtime().shared().cache;
    for (const auto& instance : workers_.snapshot().caches) {
        cache.set_instance_size(instance.id, instance.size);
        if (cache.outgrows(instance.id, instance.size)) {
            spdlog::warn(
                "cache '{}' has its size at start in fewer shards than {} entries need: restart "
                "steerdnsd to give it more memory",
                instance.tag, instance.size);
        }
    }
    service_->follow(caches_of(settings), configuration_.registry().list_names());
}

void CachePart::flush(std::vector<matchers::Rule> names,
                      const std::function<void(Result<std::uint64_t>)>& done) {
    if (!service_) return done(std::uint64_t{0});
    service_->flush(named_by(std::move(names)), done);
}

void CachePart::add_status(boost::json::object& all) {
    if (const auto* const cache = workers_.runtime().shared().cache)
        all["cache"] = boost::json::object{{"entries", cache->entries()},
                                           {"bytes", cache->bytes_used()},
                                           {"shards", cache->shards()}};
}

void CachePart::write_metrics(ops::MetricWriter& writer) {
    if (service_)
        write_cache_metrics(writer, *service_, *workers_.runtime().shared().cache,
                            [this](std::uint16_t instance) { return lookups(instance); });
}

void CachePart::add_problems(Problems& problems) {
    if (!service_) return;
    for (std::string& text : service_->problems())
        problems.push_back({"cache", std::move(text)});
}

void CachePart::stop() {
    if (service_) service_->stop();
}

void CachePart::finish() {
    if (service_ && main_.is_serving()) service_->dump_at_end();
}

}  // namespace steer
