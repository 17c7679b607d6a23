// The layer managed.yaml over the configuration, as a part of the daemon.
#include <string>
#include <string_view>
#include <utility>

#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/parts.h"
#include "control/program/reload/start_source.h"
#include "control/runtime/reload_part.h"
#include "control/sources/edit/layer_keeper.h"
#include "control/sources/edit/managed_service.h"

namespace steer {
namespace {

class ManagedPart final : public Part {
  public:
    static constexpr std::string_view kName = "managed";
    using Needs = steer::Needs<MainLoop, StartSettings, StartSource, ReloadPart>;
    explicit ManagedPart(const Needs& needs)
        : settings_(needs.get<StartSettings>()),
          source_(needs.get<StartSource>()),
          keeper_(needs.get<MainLoop>().io()),
          service_(
              needs.get<MainLoop>().io(), source_.get(),
              [&reload = needs.get<ReloadPart>()](const std::string& why, Reloader::Done done) {
                  reload.request(why, std::move(done));
              },
              keeper_) {}

    void add_methods(ops::Methods& methods) override { service_.add_methods(methods); }
    void serve() override { note(settings_.get()); }
    void follow(const config::Settings& settings, build::Built&) override { note(settings); }
    void add_problems(Problems& problems) override { keeper_.add_problems(problems); }

  private:
    void note(const config::Settings& settings) {
        keeper_.follow(settings, source_.get().in_force->get());
        service_.follow(settings);
    }

    const StartSettings& settings_;
    const StartSource& source_;
    edit::LayerKeeper keeper_;
    edit::ManagedService service_;
};

}  // namespace

Parts::Maker managed_part() {
    return Parts::maker<ManagedPart>();
}

}  // namespace steer
