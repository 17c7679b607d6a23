// `routers.commands` of the control socket: the commands that prepare the routers of the
// configuration, as `steerdnsd --routeros-setup` prints them. Above the folders, because the
// program beside the daemon knows them.
#include <boost/json/object.hpp>
#include <string_view>

#include "control/api/rpc/methods.h"
#include "control/host/process/main_loop.h"
#include "control/host/process/side_thread.h"
#include "control/operator/setup/routeros_setup.h"
#include "control/parts.h"
#include "control/program/reload/start_source.h"

namespace steer {
namespace {

ops::RpcResult commands_of(const config::LoadOutcome& loaded) {
    if (!loaded.ok()) return ops::bad_params(loaded.errors.front().sentence());
    const auto text = setup::routeros_setup(loaded.settings, {}, setup::RouterOs::v7, {});
    if (!text) return ops::bad_params(text.error().sentence());
    return boost::json::value(boost::json::object{{"commands", *text}});
}

class RouterCommandsPart final : public Part {
  public:
    static constexpr std::string_view kName = "router_commands";
    using Needs = steer::Needs<MainLoop, StartSource>;
    explicit RouterCommandsPart(const Needs& needs)
        : source_(needs.get<StartSource>().get()),
          aside_(needs.get<MainLoop>().io(), "router commands") {}

    void add_methods(ops::Methods& methods) override {
        methods.add({.name = "routers.commands",
                     .help = "Prints the RouterOS commands that prepare the routers.",
                     .changes = ops::Changes::nothing(),
                     .piece = ops::Piece::report(),
                     .role = AccessRole::admin,
                     .parameters = {{"managed", ops::ParamType::text,
                                     "a text of managed.yaml that is not in force yet"}},
                     .run =
                         [this](const ops::Arguments& asked, const ops::RpcDone& done) {
                             aside_.run(
                                 [source = source_, text = asked.find_text("managed")] {
                                     return commands_of(text ? source.with_layer(text).load()
                                                             : source.load());
                                 },
                                 done);
                         },
                     .members = "commands",
                     .result = "the commands, with the password of the router's user"});
    }

  private:
    const ConfigSource source_;
    SideThread aside_;
};

}  // namespace

Parts::Maker router_commands_part() {
    return Parts::maker<RouterCommandsPart>();
}

}  // namespace steer
