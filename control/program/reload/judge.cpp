#include "control/program/reload/judge.h"

#include <sys/stat.h>

#include <ctime>
#include <iterator>
#include <utility>

#include "control/host/kernel/packet_filter.h"
#include "control/program/engine/plans.h"
#include "control/program/reload/certificates.h"
#include "control/program/reload/port_check.h"
#include "control/program/reload/sizing.h"
#include "control/program/reload/suffix_file.h"
#include "control/program/reload/surroundings.h"
#include "dataplane/port/eal.h"
#include "matchers/quote.h"

namespace steer {
namespace {

// The number of workers does not change the sizes that can be rejected.
constexpr unsigned kAnyWorkers = 1;

void judge_memory(const config::Settings& settings, build::Built& built) {
    const EalPlan plan = plan_eal({.worker_cpus = {},
                                   .memory_bytes = settings.dataplane.memory_bytes,
                                   .pci = {},
                                   .shares_memory = false},
                                  read_memory_facts(), allowed_cpus());
    if (!plan.refusal.empty()) {
        built.errors.push_back(settings.error(settings.dataplane.line, plan.refusal));
    } else if (built.snapshot) {
        const auto tables = plan_tables(settings, *built.snapshot, plan.memory_bytes, kAnyWorkers);
        if (!tables) {
            built.errors.push_back(tables.error());
        } else if (wanted_board_rows(*built.snapshot) > tables->board_rows) {
            built.warnings.push_back(settings.error(
                settings.dataplane.line,
                "the lists may have more rows than the " + std::to_string(tables->board_rows) +
                    " that an eighth of dataplane.memory has room for: answers whose rows have no "
                    "room are claimed each time; raise it, or lower max_rows and max_elements"));
        }
    }
}

bool others_can_read(const std::string& file) {
    struct stat found {};
    return ::stat(file.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
           (found.st_mode & S_IROTH) != 0;
}

}  // namespace

build::Built judge(const config::Settings& settings, build::Registry& registry,
                   build::ImageFolder* images) {
    auto built = build::build(settings, read_surroundings(settings), registry, images);
    if (images != nullptr) {
        for (auto& sentence : images->take_sentences())
            built.warnings.push_back(Error{std::move(sentence)});
    }
    auto suffixes = take_up_suffix_file();
    std::move(suffixes.begin(), suffixes.end(), std::back_inserter(built.warnings));
    judge_memory(settings, built);
    auto certificates = check_certificates(settings, std::time(nullptr));
    std::move(certificates.errors.begin(), certificates.errors.end(),
              std::back_inserter(built.errors));
    std::move(certificates.warnings.begin(), certificates.warnings.end(),
              std::back_inserter(built.warnings));
    auto engine = recursion::check_plans(settings);
    std::move(engine.errors.begin(), engine.errors.end(), std::back_inserter(built.errors));
    std::move(engine.warnings.begin(), engine.warnings.end(), std::back_inserter(built.warnings));
    if (!built.ok()) built.snapshot.reset();
    return built;
}

std::vector<Error> advice(const config::Settings& settings) {
    std::vector<Error> out;
    const auto devices =
        config::devices_beside_firewall(settings.dataplane.ports, read_host().default_interface);
    if (!devices.empty()) {
        auto text = kernel::bypassed_filters(devices, kernel::find_input_filters());
        if (!text.empty()) out.push_back(settings.error(settings.dataplane.line, std::move(text)));
    }
    auto secrets = settings.secrets;
    for (const auto& [file, owner, line] : private_keys(settings))
        secrets.push_back({file, "the key of " + owner, line});
    for (const config::SecretFile& secret : secrets) {
        if (!others_can_read(secret.file)) continue;
        out.push_back(settings.error(
            secret.line, matchers::quoted_path(secret.file) + " holds " + secret.what +
                             " and every user of this machine can read it: 'chmod o-r' it"));
    }
    auto engine = recursion::advice(settings);
    std::move(engine.begin(), engine.end(), std::back_inserter(out));
    for (const config::Router& router : settings.routers) {
        if (router.tls || (router.address && router.address->is_loopback())) continue;
        out.push_back(settings.error(
            router.line,
            "router '" + router.name +
                "' is used over clear text: anyone who sees the network can read its password; "
                "give its api-ssl a certificate, and write 'tls: { pin: SHA-256 }'"));
    }
    return out;
}

}  // namespace steer
