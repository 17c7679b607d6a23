// Records of a `static` plugin, as imports gather them, and what of them cannot be.
#pragma once

#include <string>
#include <vector>

#include "tools/import/note.h"
#include "tools/import/sheet.h"

namespace steer::importing {

struct Record {
    enum class Owner : std::uint8_t { name, subdomains, expression };
    Owner owner = Owner::name;
    std::string name;   // lower case, without a last dot; or the expression
    std::string place;  // where it was read
    std::string type;   // as in the configuration; empty: by the address
    std::string alias;  // of a CNAME: where it leads
    Flow data;          // what follows name and type
    bool disabled = false;
    bool asks_forwarder = false;  // a FWD with servers of its own
    std::vector<Note> notes;
};

// The records that lead in a circle are taken out; a note for each.
std::vector<Note> drop_circles(std::vector<Record>& records);

// `- tag: TAG` with all of them; nothing if there are none. `cache` ("$TAG", or empty: none) keeps what
// forwarders say. `with_ptr`: addresses of names have PTR records.
void write_records(Sheet& sheet, const std::string& tag, const std::vector<Record>& records,
                   const std::string& cache, bool with_ptr = true);

// Why Hyperscan does not support the expression (POSIX); empty: it does.
std::string expression_trouble(const std::string& expression);

}  // namespace steer::importing
