// Changes of the configuration over the API, as a part of the daemon.
#include <string>
#include <string_view>
#include <utility>

#include "control/config/start_settings.h"
#include "control/host/process/main_loop.h"
#include "control/parts.h"
#include "control/program/reload/start_source.h"
#include "control/runtime/reload_part.h"
#include "control/sources/edit/edit_service.h"

namespace steer {
namespace {

class EditPart final : public Part {
  public:
    static constexpr std::string_view kName = "edit";
    using Needs = steer::Needs<MainLoop, StartSettings, StartSource, ReloadPart>;
    explicit EditPart(const Needs& needs)
        : settings_(needs.get<StartSettings>()),
          service_(
              needs.get<MainLoop>().io(), needs.get<StartSource>().get(),
              [&reload = needs.get<ReloadPart>()](const std::string& why, Reloader::Done done) {
                  reload.request(why, std::move(done));
              }) {}

    void add_methods(ops::Methods& methods) override { service_.add_methods(methods); }
    void serve() override { service_.follow(settings_.get()); }
    void follow(const config::Settings& settings, build::Built&) override {
        service_.follow(settings);
    }

  private:
    const StartSettings& settings_;
    edit::EditService service_;
};

}  // namespace

Parts::Maker edit_part() {
    return Parts::maker<EditPart>();
}

}  // namespace steer
