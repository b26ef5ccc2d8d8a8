// Included by the compiler before every file of better-sqlite3 (g++ -include), when set-up compiles it for a
// runtime that has Node-API 9 (Electron 33, Node 20).
//
// Node-API 10 lets an addon keep a reference to any value. Node-API 9 keeps references to objects, functions and
// symbols only and answers napi_invalid_arg to the rest; node-addon-api turns that into a C++ exception that is
// compiled out, so an addon written for 10 dies on loading. better-sqlite3 13 keeps references to strings (the
// names of columns and of bound parameters) and to any value an aggregate holds between rows.
//
// So a value that may not be referred to goes into a box: an object with the value at index 0 and with a type tag
// that no other code has. The reference is to the box, and reading the reference opens the box again. A count of
// zero behaves as in Node-API 10: a primitive cannot be held weakly there either, it is simply let go.
//
// What surprised us: the experimental Node-API, which also allows such references, is no way out. It forbids most
// calls in finalizers, and the process aborts at its first garbage collection.
#ifndef SLOTWRIGHT_REFERENCE_BOX_H
#define SLOTWRIGHT_REFERENCE_BOX_H

#include <node_api.h>

#if NAPI_VERSION >= 10
#error "reference-box.h is for Node-API 9; newer runtimes take better-sqlite3's own prebuilt addon"
#endif

namespace slotwright {

// Random, made once for this file. A tag is how Node-API recognises an object that native code made.
static const napi_type_tag box_tag = {0x6b1f0b5c8e5d4c19ULL, 0xa2d47f3196c80e57ULL};

// Is `value` of a type that Node-API 9 can refer to by itself? Sets `type` too, which spares a second question.
inline napi_status may_be_referred_to(napi_env env, napi_value value, napi_valuetype* type, bool* may) {
  napi_status status = napi_typeof(env, value, type);
  if (status != napi_ok) return status;
  *may = *type == napi_object || *type == napi_function || *type == napi_symbol || *type == napi_external;
  return napi_ok;
}

// As napi_create_reference of Node-API 10.
inline napi_status create_reference(napi_env env, napi_value value, uint32_t initial_count, napi_ref* result) {
  napi_valuetype type;
  bool may;
  napi_status status = may_be_referred_to(env, value, &type, &may);
  if (status != napi_ok) return status;
  if (may) return napi_create_reference(env, value, initial_count, result);

  napi_value box;
  status = napi_create_object(env, &box);
  if (status != napi_ok) return status;
  status = napi_type_tag_object(env, box, &box_tag);
  if (status != napi_ok) return status;
  status = napi_set_element(env, box, 0, value);
  if (status != napi_ok) return status;
  return napi_create_reference(env, box, initial_count, result);
}

// As napi_get_reference_value of Node-API 10: a null value when what it referred to is gone.
inline napi_status get_reference_value(napi_env env, napi_ref reference, napi_value* result) {
  napi_value held = nullptr;
  napi_status status = napi_get_reference_value(env, reference, &held);
  if (status != napi_ok) return status;
  *result = held;
  if (held == nullptr) return napi_ok;

  napi_valuetype type;
  status = napi_typeof(env, held, &type);
  if (status != napi_ok) return status;
  if (type != napi_object) return napi_ok;  // a box is a plain object; functions and symbols are themselves

  bool is_box = false;
  status = napi_check_object_type_tag(env, held, &box_tag, &is_box);
  if (status != napi_ok) return status;
  return is_box ? napi_get_element(env, held, 0, result) : napi_ok;
}

}  // namespace slotwright

// From here on every caller, node-addon-api's templates above all, gets the versions above.
#define napi_create_reference slotwright::create_reference
#define napi_get_reference_value slotwright::get_reference_value

#endif
