// A policy zone of 5,000,000 names by transfer: the first transfer, a change of 100 names, a
// lookup. One JSON line.
//
// The primary is a function; the network's time does not count. A change is all that happens
// between the last byte from the primary and the zone that is published: the difference, the
// journal on disk, the new table of changes. Seconds are wall clock, because a change waits for the
// disk.
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "control/sources/transfer/kept_zone.h"
#include "control/sources/transfer/wire_bytes.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"

namespace {

using namespace steer;
using namespace steer::transfer;
using Clock = std::chrono::steady_clock;

constexpr unsigned kRounds = 20, kChanged = 100, kAsked = 1'000'000;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Bytes wire(const std::string& name) {
    return *dns::name_from_text(name);
}

const Bytes kZone = wire("rpz.example");

Bytes soa_of_serial(std::uint32_t serial) {
    Bytes out{0, 0};
    put32(out, serial);
    for (const std::uint32_t number : {3600U, 900U, 2'592'000U, 300U})
        put32(out, number);
    return out;
}

// Half of the names are wildcards beside their parent, as in feeds.
std::string owner(std::size_t i) {
    const std::string name = "n" + std::to_string(i / 2 * 2'654'435'761U % 10'000'000'000U) + ".d" +
                             std::to_string(i / 2 % 5000) + ".example.rpz.example";
    return i % 2 == 0 ? name : "*." + name;
}

std::shared_ptr<const ZoneImage> image_of(std::size_t names) {
    ZoneImageBuilder builder;
    builder.add(kZone, {dns::kSoa, 300, soa_of_serial(1)});
    const Bytes root{0};
    for (std::size_t i = 0; i < names; ++i)
        builder.add(wire(owner(i)), {dns::kCname, 300, root});
    return builder.finish();
}

ZoneDifference difference(std::uint32_t from) {
    ZoneDifference out;
    out.from = from;
    out.to = from + 1;
    const auto put = [](auto& to, const Bytes& name, std::uint16_t type, Bytes rdata) {
        to.push_back({name, type, 300, std::move(rdata)});
    };
    put(out.removed, kZone, dns::kSoa, soa_of_serial(from));
    put(out.added, kZone, dns::kSoa, soa_of_serial(from + 1));
    for (unsigned i = 0; i < kChanged / 2; ++i) {
        put(out.removed, wire(owner(from * kChanged + i)), dns::kCname, {0});
        put(out.added, wire("new" + std::to_string(from * kChanged + i) + ".example.rpz.example"),
            dns::kCname, {0});
    }
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    const std::size_t names = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 5'000'000;
    std::string folder = (std::filesystem::temp_directory_path() / "bench-zones-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) return 1;
    config::Secondary settings;
    settings.zone = kZone;
    settings.primaries = {{*IpAddress::parse("192.0.2.1"), 53, false}};
    settings.file = folder + "/zone.kept";
    settings.max_bytes = std::uint64_t{3} << 30;
    settings.max_records = 100'000'000;
    std::uint32_t serial = 1;
    auto image = image_of(names);
    const auto primary = [&](const ExchangeRequest& request, const std::stop_token&) {
        Exchanged out;
        out.serial = serial;
        if (!request.have) {
            out.outcome = TransferOutcome::whole;
            out.image = image;
            return out;
        }
        out.outcome = TransferOutcome::incremental;
        out.differences = {difference(*request.have)};
        return out;
    };
    const auto policy = std::make_shared<LivePolicy>();
    const auto targets = std::make_shared<ZoneTargets>(std::make_shared<LiveTargets>());
    const build::SecondaryPlan plan{"feed", settings, false, policy, nullptr};
    KeptZone zone(plan, targets, primary);
    auto start = Clock::now();
    auto update = zone.refresh(false, {});
    const double whole_s = seconds_since(start);
    if (update.policy == nullptr) return 1;
    auto in_force = std::move(update.policy);
    double worst_s = 0, all_s = 0;
    for (unsigned round = 0; round < kRounds; ++round) {
        start = Clock::now();
        update = zone.refresh(false, {});
        const double took_s = seconds_since(start);
        if (update.policy == nullptr) {
            std::cerr << "no change: " << update.why << "\n";
            return 1;
        }
        in_force = std::move(update.policy);
        worst_s = std::max(worst_s, took_s);
        all_s += took_s;
    }
    std::mt19937 random(1);
    std::vector<Bytes> asked;
    for (unsigned i = 0; i < kAsked; ++i) {
        const std::string text = owner(random() % names);
        const std::string name = text.substr(0, text.size() - std::string(".rpz.example").size());
        asked.push_back(wire(i % 2 == 0 ? name : "www.free" + name));
    }
    const auto look_up_ns = [&](const matchers::OwnerTable* changes) {
        std::size_t found = 0;
        const auto begun = Clock::now();
        for (const Bytes& name : asked)
            found += in_force->names->find(name, changes).value() != PolicyZone::kNone ? 1U : 0U;
        const double ns = seconds_since(begun) * 1e9 / kAsked;
        if (found < kAsked / 4) std::abort();
        return ns;
    };
    const double plain_ns = look_up_ns(nullptr);
    const double changed_ns = look_up_ns(in_force->changes.get());
    start = Clock::now();
    update = zone.merge();
    const double merge_s = seconds_since(start);
    KeptZone next(plan, targets, primary);
    std::string remark;
    start = Clock::now();
    const auto kept = next.restore(remark);
    const double restore_s = seconds_since(start);
    ZoneContents contents(kZone);
    if (!contents.replace(image)) return 1;
    std::filesystem::remove_all(folder);
    if (!kept || kept->update.records != names + 1) {
        std::cerr << "not restored: " << remark << "\n";
        return 1;
    }
    std::cout << boost::json::object{{"ratio", whole_s / worst_s},
                                     {"change_ms", all_s / kRounds * 1000},
                                     {"worst_change_ms", worst_s * 1000},
                                     {"whole_s", whole_s},
                                     {"merge_s", merge_s},
                                     {"restore_s", restore_s},
                                     {"lookup_ns", plain_ns},
                                     {"changed_lookup_ns", changed_ns},
                                     {"bytes_per_name",
                                      static_cast<double>(in_force->names->bytes() +
                                                          contents.bytes()) /
                                          static_cast<double>(names)},
                                     {"names", names}}
              << "\n";
    return 0;
}
