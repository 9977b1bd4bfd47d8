// SPDX-License-Identifier: BSD-3-Clause
// json_schema(): the key tables as a JSON Schema, for editors and for checks in version control.
//
// A schema cannot say all: whether names exist and fields agree is left to validate. What it does
// refuse, load() refuses too; tests/golden/config/schema_test.py holds the two together.
#include <nlohmann/json.hpp>

#include "control/config/keys.h"
#include "control/config/load.h"
#include "control/config/section.h"
#include "control/config/templates.h"

namespace postern::config {
namespace {

using Json = nlohmann::ordered_json;

// Of sizes and of account_text.cc; anything for types that have no grammar.
std::string plain_pattern_of(Type type) {
  switch (type) {
    case Type::size:
      return "(0|[1-9][0-9]{0,6})(KiB|MiB|GiB|TiB)";
    case Type::account_name:
      return "[a-z0-9_][a-z0-9_.-]{0,62}";
    case Type::password_hash:
      return "\\$argon2id\\$v=19\\$m=[0-9]{5,6},t=[0-9]{1,2},p=1\\$[A-Za-z0-9+/]{11,64}\\$"
             "[A-Za-z0-9+/]{22,86}";
    case Type::public_key:
      return " *(ssh-ed25519 .+|ed25519:.+)";
    default:
      return ".+";
  }
}

// The grammars of items.cc and scalar.cc as regular expressions, without anchors.
std::string pattern_of(Type type) {
  std::string name = "[A-Za-z][A-Za-z0-9_-]{0,62}";
  std::string interface = "[a-z][a-z0-9_-]{0,10}";
  std::string octet = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
  std::string ipv4 = octet + "(\\." + octet + "){3}";
  std::string prefix = ipv4 + "/(3[0-2]|[12]?[0-9])";
  std::string port = "(0|[1-9][0-9]{0,4})";
  std::string ports = "([<>]" + port + "|" + port + "(-" + port + ")?)";
  std::string label = "[A-Za-z0-9_-]{1,63}";
  std::string domain = label + "(\\." + label + ")*\\.?";
  std::string pin = "sha256/[A-Za-z0-9+/]{43}=";
  std::string byte = "(0|[1-9][0-9]{0,2})";
  std::string day = "(mon|tue|wed|thu|fri|sat|sun)";
  std::string days = "(daily|weekdays|weekends|" + day + "(-" + day + ")?)";
  switch (type) {
    case Type::duration:
      return "(0|[1-9][0-9]*)(ms|s|m|h|d)";
    case Type::name:
      return name;
    case Type::system_name:
      return "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    case Type::group_name:
      return "[a-z_][a-z0-9_-]{0,31}";
    case Type::device_name:
      return "[^/: ]{1,15}";
    case Type::port_string:
      return "(pci:([0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]|kernel:[^/: ,]{1,15}|"
             "vdev:[a-z][a-z0-9_]{0,62}(,[!-~]*)?)";
    case Type::interface_address:
      return "(dhcp|" + prefix + ")";
    case Type::subnet:
      return prefix;
    case Type::address_range:
      return "(" + prefix + "|" + ipv4 + "(-" + ipv4 + ")?)";
    case Type::address:
      return ipv4;
    case Type::mac:
      return "[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}";
    case Type::route_to:
      return "(default|" + prefix + ")";
    case Type::port_range:
      return "[1-9][0-9]{0,4}-[1-9][0-9]{0,4}";
    case Type::dns_server:
      return ipv4 + "(:[1-9][0-9]{0,4})?(#(" + domain + "|" + pin + ")(," + pin + ")*)?";
    case Type::interface_ref:
    case Type::interface_item:
      return interface;
    case Type::address_item:
      return "(" + name + "|" + prefix + "|" + ipv4 + "(-" + ipv4 + ")?)";
    case Type::service_item:
      return "(" + name + "|(tcp|udp|tcp\\+udp|udp\\+tcp)(/" + ports + ")?( from " + ports +
             ")?|icmp/([a-z-]+|" + byte + ")(/" + byte + ")?|ip/" + byte + ")";
    case Type::time_item:
      return "(" + name + "|" + days + "(," + days + ")*( [0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2})?)";
    case Type::user_item:
      return "(group:)?[a-z0-9_][a-z0-9_.-]{0,62}";
    case Type::domain_name:
    case Type::host:
      return domain;
    case Type::dns_zone:
      return "(" + domain + "|" + prefix + ")";
    case Type::target:
      return ipv4 + "(:[1-9][0-9]{0,4})?";
    case Type::file_path:
      return "/.+";
    default:
      return plain_pattern_of(type);
  }
}

std::string anchored(std::string_view pattern) {
  return "^" + std::string(pattern) + "$";
}

Json string_schema(Type type) {
  return {{"type", "string"}, {"pattern", anchored(pattern_of(type))}};
}

Json words_schema(std::string_view words) {
  Json list = Json::array();
  for (std::string_view word : split_words(words))
    list.push_back(word);
  return {{"type", "string"}, {"enum", std::move(list)}};
}

Json number_schema(const KeySpec& key) {
  return {{"type", "integer"}, {"minimum", key.min}, {"maximum", key.max}};
}

// One value or a list of them.
Json items_schema(Json item, bool empty_list) {
  Json list = {{"type", "array"}, {"items", item}};
  if (!empty_list) list["minItems"] = 1;
  return {{"anyOf", Json::array({std::move(item), std::move(list)})}};
}

Json named_schema(Type name, Json value) {
  return {{"type", "object"},
          {"patternProperties", {{anchored(pattern_of(name)), std::move(value)}}},
          {"additionalProperties", false}};
}

Json section_schema(const SectionSpec& section);

Json sections_schema(const KeySpec& key) {
  Json entry = section_schema(*key.section);
  if (key.instead) {
    Json other = section_schema(*key.instead);
    Json names = Json::array();
    for (const Template& item : builtin_templates())
      names.push_back(item.name);
    other["properties"]["template"]["enum"] = std::move(names);
    entry = {{"if", {{"required", {key.instead->keys[0].key}}}},
             {"then", std::move(other)},
             {"else", std::move(entry)}};
  }
  return {{"type", "array"}, {"maxItems", key.max}, {"items", std::move(entry)}};
}

// The value of a key, lists aside.
Json value_schema(const KeySpec& key) {
  switch (key.type) {
    case Type::section:
      return section_schema(*key.section);
    case Type::sections:
      return sections_schema(key);
    case Type::named_sections: {
      Json map = named_schema(key.names, section_schema(*key.section));
      if (key.required) map["minProperties"] = 1;
      map["maxProperties"] = key.max;
      return map;
    }
    case Type::boolean:
      return {{"type", "boolean"}};
    case Type::number:
    case Type::port_number:
      return number_schema(key);
    case Type::word:
      return words_schema(key.words);
    case Type::text:
      return {{"type", "string"}, {"minLength", 1}, {"maxLength", key.max}};
    case Type::mss_clamp:
      return {{"anyOf", Json::array({words_schema("auto|off"), number_schema(key)})}};
    case Type::sharing_guard:
      return {{"anyOf", Json::array({words_schema(key.words), section_schema(*key.section)})}};
    case Type::neighbors:
      return named_schema(Type::address, string_schema(Type::mac));
    case Type::address_objects:
      return named_schema(Type::name, items_schema(string_schema(Type::address_item), false));
    case Type::service_objects:
      return named_schema(Type::name, items_schema(string_schema(Type::service_item), false));
    case Type::time_objects:
      return named_schema(Type::name, items_schema(string_schema(Type::time_item), false));
    case Type::mail_aliases: {
      Json map = {{"type", "object"},
                  {"additionalProperties", items_schema(string_schema(Type::mail_target), false)}};
      map["maxProperties"] = key.max;
      return map;
    }
    case Type::mail_headers:
      return {{"type", "object"},
              {"additionalProperties", {{"type", "string"}, {"minLength", 1}}},
              {"maxProperties", key.max}};
    case Type::template_values:
    case Type::dhcp_options:
      return {{"type", "object"}};
    default:
      return string_schema(key.type);
  }
}

// The default as JSON: texts of booleans, numbers and empty lists are what they look like.
Json default_of(const KeySpec& key) {
  Json value = Json::parse(key.fallback, nullptr, false);
  return value.is_discarded() ? Json(key.fallback) : value;
}

Json key_schema(const KeySpec& key) {
  Json schema = value_schema(key);
  if (key.list) schema = items_schema(std::move(schema), key.empty_list);
  std::string description(key.help);
  if (!key.unit.empty()) description += " (" + std::string(key.unit) + ")";
  schema["description"] = std::move(description);
  if (!key.fallback.empty()) schema["default"] = default_of(key);
  return schema;
}

Json section_schema(const SectionSpec& section) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const KeySpec& key : section.keys) {
    properties[std::string(key.key)] = key_schema(key);
    if (key.required) required.push_back(key.key);
  }
  Json schema = {
      {"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

}  // namespace

std::string json_schema() {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", "Postern configuration"}};
  schema.update(section_schema(kFile));
  return schema.dump(2, ' ', true) + "\n";
}

}  // namespace postern::config
