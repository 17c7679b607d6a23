#include "control/observe/lists/list_reports.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "dataplane/dns/name.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

ops::RpcResult names_of(const Snapshot& snapshot, const ops::Arguments& asked, Now now) {
    const auto address = IpAddress::parse(asked.text("address"));
    if (snapshot.reverse.empty()) {
        return ops::RpcError{ops::RpcCode::internal_error,
                             "the configuration has no reverse_lookup that queries come to"};
    }
    array names;
    for (const ReverseLookup& one : snapshot.reverse) {
        ReverseTable::Name name;
        const std::size_t length = one.table->find(*address, now.s(), name);
        if (length == 0) continue;
        names.push_back(
            object{{"plugin", one.tag}, {"name", dns::name_to_text({name.data(), length})}});
    }
    return value(object{{"address", address->to_string()}, {"names", std::move(names)}});
}

}  // namespace

void add_reverse_methods(ops::Methods& methods, std::function<const Snapshot&()> snapshot,
                         Clock& clock) {
    methods.add(
        {.name = "reverse",
         .help = "Shows the name for which an address was last answered.",
         .changes = ops::Changes::nothing(),
         .piece = ops::Piece::report(),
         .parameters = {{"address", ops::ParamType::address, "the address to look up", true}},
         .run =
             [snapshot = std::move(snapshot), &clock](const ops::Arguments& asked) {
                 return names_of(snapshot(), asked, clock.now());
             },
         .members = "address names",
         .result = "the name and its time, if there is one"});
}

}  // namespace steer
