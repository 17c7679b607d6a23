#include "control/daemon.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <system_error>
#include <utility>

#include "control/api/log/log.h"
#include "control/api/rpc/events.h"
#include "control/config/start_settings.h"
#include "control/host/process/background.h"
#include "control/host/process/process_limits.h"
#include "control/host/process/service_manager.h"
#include "control/parts.h"
#include "control/privileges.h"
#include "control/program/reload/configuration.h"
#include "control/program/reload/start_source.h"
#include "control/runtime/ports/ports_part.h"
#include "matchers/pattern/compiler.h"

namespace steer {
namespace {

using namespace std::chrono_literals;

constexpr auto kPollEvery = 100ms;
// Reading a list and building a matcher cannot be interrupted.
constexpr auto kBackgroundPatience = 400ms;

std::vector<Parts::Maker> makers() {
#define STEER_CALL_PART(name) name##_part(),
    return {STEER_PARTS(STEER_CALL_PART)};
#undef STEER_CALL_PART
}

}  // namespace

Daemon::Daemon(config::Settings settings, ConfigSource source, std::set<std::string> tried)
    : main_(parts_.add(std::make_unique<MainLoop>())),
      signals_(main_.io(), SIGTERM, SIGINT),
      polling_(main_.io()),
      ending_(main_.io()) {
    const bool is_socket_given = !source.control_socket.empty();
    parts_.add(std::make_unique<StartSettings>(std::move(settings), source.user, is_socket_given));
    parts_.add(std::make_unique<StartSource>(std::move(source), std::move(tried)));
}

Daemon::~Daemon() {
    stop();
}

// ---- the start

Result<void> Daemon::start() {
    await_end();
    if (auto done = start_parts(); !done) return done;
    try {
        for (const auto& part : parts_.all())
            part->serve();
    } catch (const std::system_error& error) {  // the new user's limits differ
        return no_thread(error);
    }
    main_.set_serving(true);
    notify_service_manager("READY=1");
    notify_service_manager("STATUS=serving");
    return {};
}

// As root, until the privileges are given up.
Result<void> Daemon::start_parts() {
    if (auto done = parts_.start(makers()); !done) {
        // (After a signal a thread may still write them.)
        if (auto* const configuration = parts_.find<Configuration>();
            configuration != nullptr && !has_ended())
            errors_ = configuration->built().errors;
        return done;
    }
    ops::Methods& methods = parts_.get<Events>().methods();
    for (const auto& part : parts_.all())
        part->add_methods(methods);
    std::vector<std::string> dumps;
    for (const auto& part : parts_.all()) {
        if (auto done = part->open(); !done) return done;
        part->add_dump_folders(dumps);
    }
    return give_up_rights(parts_.get<StartSettings>(), parts_.get<Configuration>().built(), dumps,
                          parts_.get<PortsPart>().set());
}

// ---- while it serves

void Daemon::run() {
    poll();
    if (!has_ended()) main_.run();
    stop();
}

void Daemon::poll() {
    for (const auto& part : parts_.all())
        part->poll();
    notify_service_manager_again();
    polling_.expires_after(kPollEvery);
    polling_.async_wait([this](const boost::system::error_code& error) {
        if (!error) poll();
    });
}

// ---- the end

void Daemon::await_end() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
        if (error) return;
        const auto delay = parts_.get<StartSettings>().get().control.shutdown_delay;
        const bool is_slow = main_.is_serving() && !main_.ends_ms() && delay > 0ms;
        if (!is_slow) ops::expect_last_lines();
        spdlog::info("ending on {}", number == SIGTERM ? "SIGTERM" : "SIGINT");
        notify_service_manager("STOPPING=1");
        if (is_slow) {
            await_end();  // a second signal does not wait
            end_slowly();
        } else {
            main_.end_now();
        }
    });
}

// Not ready, but serving, for `shutdown_delay`.
void Daemon::end_slowly() {
    const auto delay = parts_.get<StartSettings>().get().control.shutdown_delay;
    spdlog::info("not ready; answering queries for another {} ms", delay.count());
    main_.set_ends_ms(main_.now_ms() + static_cast<std::uint64_t>(delay.count()));
    for (const auto& part : parts_.all())
        part->drain(true);
    ending_.expires_after(delay);
    ending_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        ops::expect_last_lines();
        main_.end_now();
    });
}

bool Daemon::stop() {
    if (std::exchange(has_stopped_, true)) return !is_work_left_;
    matchers::pattern_compiler().stop();
    is_work_left_ = !parts_.stop([] { return BackgroundWork::wait_for_none(kBackgroundPatience); });
    return !is_work_left_;
}

}  // namespace steer
