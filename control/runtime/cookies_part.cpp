// The secrets of DNS cookies, as a part of the daemon: from a file of the configuration, or the
// daemon's own. Workers get them with the time of day by a publication.
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "control/config/start_settings.h"
#include "control/host/process/files_as.h"
#include "control/host/process/main_loop.h"
#include "control/host/process/new_file.h"
#include "control/host/process/published.h"
#include "control/host/process/state_file.h"
#include "control/parts.h"
#include "control/runtime/cookie_secrets.h"
#include "control/runtime/workers_part.h"
#include "dataplane/base/clock.h"

namespace steer {
namespace {

constexpr std::uint64_t kUpdateEveryMs = 1000;
constexpr std::size_t kMostStored = 4096;  // bytes

std::int64_t unix_time_s() {
    return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

class CookiesPart final : public Part {
  public:
    static constexpr std::string_view kName = "cookies";
    using Needs = steer::Needs<MainLoop, StartSettings, WorkersPart>;
    explicit CookiesPart(const Needs& needs)
        : main_(needs.get<MainLoop>()),
          settings_(needs.get<StartSettings>()),
          workers_(needs.get<WorkersPart>()) {}

    Result<void> start() override {
        DataplaneRuntime& runtime = workers_.runtime();
        keys_ = std::make_unique<Published<dns::CookieKeys>>(runtime.shared().cookie_keys,
                                                             runtime.shared().qsbr);
        const FilesAs files(settings_.given_user());
        use(settings_.get().cookies);
        return {};
    }
    void poll() override {
        const std::uint64_t now_ms = main_.now_ms();
        keys_->poll();
        if (now_ms < check_at_ms_) return;
        check_at_ms_ = now_ms + kUpdateEveryMs;
        update();
    }
    void follow(const config::Settings& settings, build::Built& /*built*/) override {
        use(settings.cookies);
    }
    void add_problems(Problems& problems) override {
        if (!problem_.empty()) problems.push_back({"cookies", problem_});
    }

  private:
    void use(const config::CookieSettings& cookies) {
        cookies_ = cookies;
        if (cookies_.secret_file.empty() && !is_restored_) restore();
        update();
    }
    // Once: later, the daemon knows its own secrets.
    void restore() {
        is_restored_ = true;
        if (cookies_.stored.empty()) return;
        auto stored = load_state(cookies_.stored, kMostStored, "new secrets are made");
        if (stored) {
            const auto done = own_.restore(*stored, unix_time_s());
            if (!done) warn(done.error().sentence());
        } else {
            warn(stored.error().sentence());
        }
    }
    // Secrets that are due are made and stored, then published.
    void update() {
        dns::CookieKeys keys;
        if (cookies_.secret_file.empty()) {
            const auto rollover_s = cookies_.rollover.count() / 1000;
            if (own_.update(unix_time_s(), rollover_s)) store();
            keys = own_.keys();
        } else {
            keys = cookie_keys(cookies_.secrets);
        }
        keys.clock_s = static_cast<std::uint32_t>(unix_time_s()) - BootClock().now().s();
        const dns::CookieKeys* const current = keys_->current();
        if (current != nullptr) {
            // Seconds begin at different moments by the two clocks.
            const auto moved_s = static_cast<std::int32_t>(keys.clock_s - current->clock_s);
            if (moved_s >= -1 && moved_s <= 1) keys.clock_s = current->clock_s;
            if (keys == *current) return;
        }
        keys_->put(std::make_unique<const dns::CookieKeys>(keys));
    }
    void store() {
        problem_.clear();
        if (cookies_.stored.empty()) return;
        const auto done =
            save_state(cookies_.stored, own_.to_json(),
                       {.setting = "stored", .section = "cookies", .mode = NewFile::kForOwner},
                       "the secrets of cookies", "clients get new cookies after a restart");
        if (done) return;
        problem_ = done.error().text;
        warn(problem_);
    }
    static void warn(const std::string& sentence) { spdlog::warn("{}", sentence); }

    MainLoop& main_;
    const StartSettings& settings_;
    WorkersPart& workers_;
    config::CookieSettings cookies_;
    CookieSecrets own_;
    bool is_restored_ = false;
    std::string problem_;
    std::uint64_t check_at_ms_ = 0;
    std::unique_ptr<Published<dns::CookieKeys>> keys_;
};

}  // namespace

Parts::Maker cookies_part() {
    return Parts::maker<CookiesPart>();
}

}  // namespace steer
