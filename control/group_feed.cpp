// Gives groups of devices from the fleet's Redis (`client_groups`) to the groups of clients. Above
// the folders, because neither of the two includes the other.
#include <string>
#include <string_view>
#include <utility>

#include "control/parts.h"
#include "control/sinks/fleet/fleet_part.h"
#include "control/sources/clients/clients_part.h"

namespace steer {
namespace {

class GroupFeedPart final : public Part {
  public:
    static constexpr std::string_view kName = "group_feed";
    using Needs = steer::Needs<FleetPart, ClientsPart>;
    explicit GroupFeedPart(const Needs& needs)
        : fleet_(needs.get<FleetPart>()), clients_(needs.get<ClientsPart>()) {}

    Result<void> start() override {
        fleet_.on_groups([this](const std::string& key, fleet::GroupFeed::News news) {
            clients_.groups().take_feed(key, std::move(news.text), std::move(news.problem));
        });
        return {};
    }

  private:
    FleetPart& fleet_;
    ClientsPart& clients_;
};

}  // namespace

Parts::Maker group_feed_part() {
    return Parts::maker<GroupFeedPart>();
}

}  // namespace steer
